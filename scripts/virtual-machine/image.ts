/**
 * The disk of a Debian with systemd that has what scripts/provision will install, but not installed:
 * the guest has no network, and installing is part of what is tried.
 *
 * debootstrap fills a folder and mkfs makes a disk of it; nothing is mounted from a loop device.
 */
import { createHash } from 'node:crypto';
import { access, chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { DEBIAN_KEYS, debianMirror } from '../debian.ts';
import { RepriseError } from '../../src/errors.ts';
import { timed } from './progress.ts';

export const RELEASES = ['bookworm', 'trixie'] as const;
export type Release = (typeof RELEASES)[number];

/** What can be booted. */
export interface Image {
  /** A raw disk with one ext4 file system; never written to after it was made. */
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
  /** The private key that root of the guest lets in. */
  readonly key: string;
  readonly architecture: string;
}

/** In the image, installed. */
const BASE = [
  ...['systemd', 'systemd-sysv', 'dbus', 'udev', 'kmod', 'procps', 'iproute2'],
  ...['openssh-server', 'ca-certificates'],
  // As a Debian has it that was installed in the usual way: its kernel recommends it.
  'apparmor',
];

/** In the image, for scripts/provision to install. */
const PROVISIONED = [
  ...['containerd', 'runc', 'crun', 'containernetworking-plugins', 'iptables'],
  ...['busybox-static', 'catatonit'],
];

/** In the image, for the end-to-end tests to install. */
export const FOR_TESTS = ['curl', 'docker-registry', 'skopeo'];

const DISK_SIZE = '8G';

export function isRelease(name: string): name is Release {
  return (RELEASES as readonly string[]).includes(name);
}

/** Builds the image in this folder, or finds the one that was built by the same recipe. */
export async function buildImage(
  release: Release,
  dir: string,
  signal: AbortSignal,
): Promise<Image> {
  const { stdout: architecture } = await execa('dpkg', ['--print-architecture']);
  const image: Image = {
    disk: join(dir, 'base.raw'),
    kernel: join(dir, 'vmlinuz'),
    initrd: join(dir, 'initrd.img'),
    key: join(dir, 'key'),
    architecture,
  };
  const recipe = createHash('sha256')
    .update(await readFile(import.meta.filename))
    .digest('hex');
  const stamp = join(dir, 'recipe');
  const built = await readFile(stamp, 'utf8').catch(() => '');
  if (built === recipe) return image;

  await mkdir(dir, { recursive: true });
  await rm(stamp, { force: true });
  const rootfs = join(dir, 'rootfs');
  await rm(rootfs, { recursive: true, force: true });
  await timed(`Building Debian ${release} (2 to 4 minutes, once)`, async () => {
    await debootstrap(release, architecture, rootfs, signal);
    await fetchPackages(rootfs, signal);
    await configure(rootfs, image.key);
    await takeKernel(rootfs, image);
    await makeDisk(rootfs, image.disk, signal);
  });
  await rm(rootfs, { recursive: true, force: true });
  await writeFile(stamp, recipe); // Last: it says that all of it is there.
  return image;
}

async function debootstrap(
  release: Release,
  architecture: string,
  rootfs: string,
  signal: AbortSignal,
): Promise<void> {
  // A kernel for virtual machines has no drivers to speak of, and so a small initrd.
  const packages = [...BASE, `linux-image-cloud-${architecture}`];
  await run(
    'debootstrap',
    [
      ...['--variant=minbase', `--keyring=${DEBIAN_KEYS}`, `--include=${packages.join(',')}`],
      ...[release, rootfs, await debianMirror()],
    ],
    signal,
  );
}

/** Fetches packages into apt's cache in the guest, where installing needs no network to find them. */
async function fetchPackages(rootfs: string, signal: AbortSignal): Promise<void> {
  const inside = (...args: string[]): Promise<void> =>
    run('chroot', [rootfs, 'env', 'DEBIAN_FRONTEND=noninteractive', ...args], signal);
  const proxy = await aptProxy();
  const keep = 'Binary::apt-get::APT::Keep-Downloaded-Packages "true";\n';
  await writeFile(join(rootfs, 'etc/apt/apt.conf.d/90reprise'), keep + proxy);
  await inside('apt-get', '-q', 'update');
  const fetch = ['apt-get', '-q', '-y', '--download-only', '--no-install-recommends', 'install'];
  await inside(...fetch, ...PROVISIONED, ...FOR_TESTS);
}

/** How apt of this machine gets out, for the apt of the guest while it is built. */
async function aptProxy(): Promise<string> {
  const { stdout } = await execa('apt-config', ['dump', '--format', '%F "%v";%n', 'Acquire']);
  return stdout
    .split('\n')
    .filter((line) => /^Acquire::https?::proxy /i.test(line))
    .map((line) => `${line}\n`)
    .join('');
}

async function configure(rootfs: string, key: string): Promise<void> {
  await rm(key, { force: true });
  await rm(`${key}.pub`, { force: true });
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'reprise-vm', '-f', key]);
  const files: Readonly<Record<string, string>> = {
    'etc/hostname': 'reprise-vm\n',
    'etc/hosts': '127.0.0.1 localhost\n127.0.1.1 reprise-vm\n',
    // On a busy machine a disk may take longer to be found, and a service to start, than 90 s.
    'etc/systemd/system.conf.d/vm.conf': '[Manager]\nDefaultTimeoutStartSec=15min\n',
    'etc/fstab':
      '/dev/vda / ext4 noatime 0 1\n' +
      '/dev/vdb /srv/reprise ext4 noatime,x-systemd.device-timeout=15min 0 2\n',
    // The addresses of qemu's own network; without DHCP it is there at once.
    'etc/systemd/network/10-vm.network':
      '[Match]\nType=ether\nDriver=virtio_net\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\n',
    'etc/sysctl.d/90-vm.conf': 'kernel.panic = 5\n',
    'root/.ssh/authorized_keys': await readFile(`${key}.pub`, 'utf8'),
    'etc/ssh/sshd_config.d/vm.conf': 'UseDNS no\nMaxSessions 64\nMaxStartups 64\n',
  };
  for (const [file, content] of Object.entries(files)) {
    const path = join(rootfs, file);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, content);
  }
  await chmod(join(rootfs, 'root/.ssh'), 0o700);
  await mkdir(join(rootfs, 'srv/reprise'), { recursive: true });
  await rm(join(rootfs, 'etc/machine-id'), { force: true });
  await execa('chroot', [rootfs, 'systemctl', 'enable', 'systemd-networkd', 'ssh']);
  await execa('chroot', [
    rootfs,
    'systemctl',
    'mask',
    'apt-daily.timer',
    'apt-daily-upgrade.timer',
    // The kernel and the parser are what containerd needs. Debian's own profiles, of programs that are not
    // there, take a minute and a half of each boot where it is emulated.
    'apparmor.service',
  ]);
}

async function takeKernel(rootfs: string, { kernel, initrd }: Image): Promise<void> {
  const files = await readdir(join(rootfs, 'boot'));
  for (const [prefix, target] of Object.entries({ 'vmlinuz-': kernel, 'initrd.img-': initrd })) {
    const found = files.find((file) => file.startsWith(prefix));
    if (found === undefined) throw new RepriseError(`there is no ${prefix}*`, { where: rootfs });
    await rename(join(rootfs, 'boot', found), target);
  }
}

/** A file system of the folder's content, on a file of its own. */
export async function makeDisk(
  folder: string,
  disk: string,
  signal: AbortSignal,
  size = DISK_SIZE,
): Promise<void> {
  await rm(disk, { force: true });
  await run('mkfs.ext4', ['-q', '-F', '-m', '0', '-d', folder, `${disk}.new`, size], signal);
  await rename(`${disk}.new`, disk);
}

async function run(program: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const { failed, all } = await execa(program, args, {
    env: { LC_ALL: 'C.UTF-8' },
    stdin: 'ignore',
    all: true,
    reject: false,
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  if (!failed) return;
  throw new RepriseError(`${program} failed:\n${all.split('\n').slice(-20).join('\n')}`, {
    where: [program, ...args].join(' ').slice(0, 300),
    next: 'check the network, and that scripts/prepare --vm has run',
  });
}

/** Whether there is such a file. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
