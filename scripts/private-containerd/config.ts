/**
 * The configuration of a private containerd and of its pod network, as text. Pure.
 *
 * Whatever differs between the lines 1.6, 1.7 and 2.x of containerd is decided here.
 */
import type { HostFacts } from './host.ts';
import type { Instance } from './instance.ts';
import type { Subnet } from './subnet.ts';

/** The image of every sandbox; scripts/images.ts makes it. */
export const PAUSE_IMAGE = 'localhost/reprise/pause:1';

/** `config.toml` for the containerd that was found. */
export function containerdConfig(
  instance: Instance,
  host: HostFacts,
  handlers: Handlers = {},
): string {
  const [major, minor] = host.version.split('.').map(Number) as [number, number];
  const cri =
    major >= 2
      ? splitCriSections(instance, host, handlers, [major, minor])
      : criSections(instance, host, handlers, minor >= 7);
  return toToml({
    '': {
      version: major >= 2 ? 3 : 2,
      root: instance.root,
      state: instance.state,
      // "opt" would make /opt/containerd; the others need what a private instance does not have.
      disabled_plugins: [
        'io.containerd.internal.v1.opt',
        'io.containerd.internal.v1.tracing',
        'io.containerd.snapshotter.v1.aufs',
        'io.containerd.snapshotter.v1.blockfile',
        'io.containerd.snapshotter.v1.btrfs',
        'io.containerd.snapshotter.v1.devmapper',
        'io.containerd.snapshotter.v1.erofs',
        'io.containerd.snapshotter.v1.zfs',
      ],
    },
    grpc: { address: instance.socket, uid: 0, gid: 0 },
    ...cri,
  });
}

/** containerd 1.x: everything about CRI in one section. */
function criSections(
  instance: Instance,
  host: HostFacts,
  handlers: Handlers,
  knowsCdi: boolean,
): Sections {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return {
    [cri]: {
      sandbox_image: PAUSE_IMAGE,
      disable_tcp_service: true,
      ...runtimeKeys(host),
      ...(knowsCdi && cdiKeys(instance)),
    },
    [`${cri}.cni`]: { bin_dir: host.cniBinDir, conf_dir: instance.cniConfDir },
    [`${cri}.containerd`]: { snapshotter: host.snapshotter },
    ...runcSections(`${cri}.containerd`, instance, host, handlers),
  };
}

/** containerd 2.x: images, runtime and streaming apart, and NRI, which has one socket per machine. */
function splitCriSections(
  instance: Instance,
  host: HostFacts,
  handlers: Handlers,
  [major, minor]: readonly [major: number, minor: number],
): Sections {
  const images = "plugins.'io.containerd.cri.v1.images'";
  const runtime = "plugins.'io.containerd.cri.v1.runtime'";
  const takesList = major > 2 || minor >= 1;
  return {
    [images]: { snapshotter: host.snapshotter },
    [`${images}.pinned_images`]: { sandbox: PAUSE_IMAGE },
    // Since 2.1 plain HTTP has to be allowed for each registry, loopback or not.
    [`${images}.registry`]: { config_path: instance.registriesDir },
    [runtime]: { ...runtimeKeys(host), ...cdiKeys(instance) },
    [`${runtime}.cni`]: {
      ...(takesList ? { bin_dirs: [host.cniBinDir] } : { bin_dir: host.cniBinDir }),
      conf_dir: instance.cniConfDir,
    },
    ...runcSections(`${runtime}.containerd`, instance, host, handlers),
    "plugins.'io.containerd.grpc.v1.cri'": { disable_tcp_service: true },
    "plugins.'io.containerd.nri.v1.nri'": { disable: true },
  };
}

function runtimeKeys(host: HostFacts): Section {
  return {
    netns_mounts_under_state_dir: true,
    ...(host.mayLowerOomScore ? {} : { restrict_oom_score_adj: true }),
  };
}

/** Off in 1.7 unless it is said, on in 2.x; 1.6 does not know it. */
function cdiKeys({ cdiDir }: Instance): Section {
  return { enable_cdi: true, cdi_spec_dirs: [cdiDir] };
}

/** Runtime handlers beside runc, each with the program that stands in for it. */
export type Handlers = Readonly<Record<string, string>>;

function runcSections(
  parent: string,
  instance: Instance,
  host: HostFacts,
  handlers: Handlers,
): Sections {
  const all = Object.entries({ runc: host.runtime ?? '', ...handlers });
  return Object.fromEntries(
    all.flatMap(([name, program]): [string, Section][] => [
      [`${parent}.runtimes.${name}`, { runtime_type: 'io.containerd.runc.v2' }],
      [
        `${parent}.runtimes.${name}.options`,
        {
          ...(program !== '' && { BinaryName: program }),
          // runc's own state is otherwise shared by every containerd of the machine.
          Root: instance.runcRoot,
          SystemdCgroup: host.systemdCgroup,
        },
      ],
    ]),
  );
}

/** How pods are connected. */
export interface NetworkOptions {
  readonly subnet: Subnet;
  /** Whether pods reach other machines. */
  readonly outbound: boolean;
  /** Whether pods have an IPv6 address, too; absent: no. */
  readonly dualStack?: boolean;
}

/** The pod network: a bridge that the host reaches too, addresses from a range of its own. */
export function networkConfig(
  instance: Instance,
  host: HostFacts,
  { subnet, outbound, dualStack = false }: NetworkOptions,
): string {
  const masquerade = outbound && host.iptables;
  return JSON.stringify(
    {
      cniVersion: '0.4.0',
      name: instance.network,
      plugins: [
        {
          type: 'bridge',
          bridge: instance.network,
          // As a gateway the plugin switches on IP forwarding for the whole machine.
          isGateway: outbound,
          ipMasq: masquerade,
          hairpinMode: true,
          ipam: {
            type: 'host-local',
            dataDir: instance.cniStateDir,
            ranges: [
              [{ subnet: subnet.cidr, gateway: subnet.gateway }],
              // Nothing routes it: for what pods know of themselves, and say to each other.
              ...(dualStack ? [[{ subnet: subnet.cidr6 }]] : []),
            ],
            routes: [{ dst: '0.0.0.0/0' }],
          },
        },
        ...(host.iptables ? [{ type: 'portmap', capabilities: { portMappings: true } }] : []),
      ],
    },
    undefined,
    2,
  );
}

type Section = Readonly<Record<string, string | number | boolean | readonly string[]>>;
type Sections = Readonly<Record<string, Section>>;

/** JSON's strings, numbers, booleans and lists of strings are also TOML's. */
function toToml(sections: Sections): string {
  return Object.entries(sections)
    .map(([name, section]) => {
      const lines = Object.entries(section).map(
        ([key, value]) => `${key} = ${JSON.stringify(value)}`,
      );
      return [...(name === '' ? [] : [`[${name}]`]), ...lines, ''].join('\n');
    })
    .join('\n');
}
