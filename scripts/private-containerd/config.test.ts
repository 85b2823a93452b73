import test from 'ava';
import { containerdConfig, networkConfig } from './config.ts';
import type { HostFacts } from './host.ts';
import { instanceAt } from './instance.ts';

const instance = instanceAt('/nowhere/ctd');
import { subnetAt } from './subnet.ts';

const subnet = subnetAt('10.208.1.1');

function host(facts: Partial<HostFacts> = {}): HostFacts {
  return {
    containerd: '/usr/bin/containerd',
    ctr: '/usr/bin/ctr',
    version: '1.6.20',
    path: '/usr/bin',
    cniBinDir: '/usr/lib/cni',
    mayLowerOomScore: true,
    systemdCgroup: false,
    iptables: true,
    snapshotter: 'overlayfs',
    ...facts,
  };
}

/** Facts about a machine, a line that must be there, and one that must not. */
const cases: Record<string, { facts: Partial<HostFacts>; has: string; lacks: string }> = {
  '1.6 gets a version 2 file': {
    facts: { version: '1.6.20' },
    has: 'version = 2\n',
    lacks: 'io.containerd.cri.v1.runtime',
  },
  'another runtime takes the place of runc': {
    facts: { runtime: '/usr/bin/crun' },
    has: 'BinaryName = "/usr/bin/crun"\nRoot = "/nowhere/ctd/runc"',
    lacks: 'sbin/runc',
  },
  '1.7 gets a version 2 file': {
    facts: { version: '1.7.24' },
    has: 'sandbox_image = "localhost/reprise/pause:1"',
    lacks: 'io.containerd.nri.v1.nri',
  },
  '1.7 is told to know CDI': {
    facts: { version: '1.7.24' },
    has: 'enable_cdi = true\ncdi_spec_dirs = ["/nowhere/ctd/cdi"]',
    lacks: 'BinaryName',
  },
  '1.6 is not told what it does not know': {
    facts: { version: '1.6.20' },
    has: 'sandbox_image',
    lacks: 'cdi',
  },
  '2.0 takes one CNI folder': {
    facts: { version: '2.0.5' },
    has: 'bin_dir = "/usr/lib/cni"',
    lacks: 'bin_dirs',
  },
  '2.1 takes a list of CNI folders': {
    facts: { version: '2.1.9' },
    has: 'bin_dirs = ["/usr/lib/cni"]',
    lacks: 'bin_dir = ',
  },
  '2.x can be told of registries one by one': {
    facts: { version: '2.0.5' },
    has: 'registry]\nconfig_path = "/nowhere/ctd/registries"',
    lacks: 'sandbox_image',
  },
  '1.x talks HTTP to loopback anyway': {
    facts: { version: '1.6.20' },
    has: 'sandbox_image',
    lacks: 'config_path',
  },
  '2.x shares no NRI socket with another containerd': {
    facts: { version: '2.1.9' },
    has: "[plugins.'io.containerd.nri.v1.nri']\ndisable = true",
    lacks: 'sandbox_image',
  },
  'without CAP_SYS_RESOURCE the oom score is only ever raised': {
    facts: { mayLowerOomScore: false },
    has: 'restrict_oom_score_adj = true',
    lacks: 'restrict_oom_score_adj = false',
  },
  'with CAP_SYS_RESOURCE it is as Kubernetes wants it': {
    facts: { mayLowerOomScore: true },
    has: 'netns_mounts_under_state_dir = true',
    lacks: 'restrict_oom_score_adj',
  },
  'systemd makes the cgroups where it owns them': {
    facts: { systemdCgroup: true },
    has: 'SystemdCgroup = true',
    lacks: 'SystemdCgroup = false',
  },
};
for (const [title, { facts, has, lacks }] of Object.entries(cases)) {
  test(title, (t) => {
    const config = containerdConfig(instance, host(facts));
    t.true(config.includes(has), config);
    t.false(config.includes(lacks), config);
  });
}

test('without iptables there is neither masquerading nor port forwarding', (t) => {
  const options = { subnet, outbound: true };
  t.regex(networkConfig(instance, host(), options), /"ipMasq": true[^]*portmap/);
  const config = networkConfig(instance, host({ iptables: false }), options);
  t.regex(config, /"ipMasq": false/);
  t.notRegex(config, /portmap/);
});

test('without outbound traffic the machine is not made to forward', (t) => {
  const config = networkConfig(instance, host(), { subnet, outbound: false });
  t.regex(config, /"isGateway": false/);
});

test('with two families pods have a range of each', (t) => {
  const config = networkConfig(instance, host(), { subnet, outbound: false, dualStack: true });
  t.regex(config, /"subnet": "10\.208\.1\.0\/24"[^]*"subnet": "fd72:6570:208:1::\/64"/);
  t.notRegex(networkConfig(instance, host(), { subnet, outbound: false }), /fd72/);
});

test('the bridge has a name that Linux takes, and another folder another one', (t) => {
  t.true(instance.network.length <= 15);
  t.not(instanceAt('/nowhere/other').network, instance.network);
});

test('a folder that cannot hold a socket is refused', (t) => {
  t.throws(() => instanceAt(`/${'a'.repeat(100)}`), { message: /cannot hold/ });
  t.throws(() => instanceAt('/'), { message: /cannot hold/ });
});
