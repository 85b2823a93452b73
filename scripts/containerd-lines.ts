/**
 * The lines of containerd that reprise is tested with, each as Debian packages it.
 *
 * A line that is not this machine's own is fetched from the release of Debian that has it and
 * unpacked aside, with lists, cache and state of apt of its own: nothing is installed, upgraded or
 * configured. 1.7 runs with this machine's runc, 2.1 with the one of its own release, which has what
 * that line asks of it (user namespaces, since runc 1.2). Read next: private-containerd/start.ts.
 */
import {
  access,
  glob,
  mkdir,
  mkdtemp,
  readdir,
  realpath,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { execa, ExecaError } from 'execa';
import { RepriseError } from '../src/errors.ts';
import { DEBIAN_KEYS, debianMirror } from './debian.ts';
import { installedVersion } from './private-containerd/host.ts';

/** Each line, and the Debian release that has it. */
const RELEASES = { '1.6': 'bookworm', '1.7': 'trixie', '2.1': 'sid' } as const;

/** Lines that run with the runc of their release, and what that runc needs of it to run here. */
const WITH_RUNC: readonly string[] = ['2.1'];
const PACKAGES_OF_RUNC = ['runc', 'libc6', 'libseccomp2'];

/** A line of containerd: `major.minor`. */
export type Line = keyof typeof RELEASES;

export const LINES = Object.keys(RELEASES) as readonly Line[];

/** A containerd to run tests with. */
export interface LineOfContainerd {
  /** `major.minor.patch`. */
  readonly version: string;
  /** The folder with containerd, its shim and ctr, maybe runc; undefined: what this machine has. */
  readonly binDir?: string;
}

/** What this machine has installed, or CONTAINERD_BIN_DIR names. */
export async function ownContainerd(): Promise<LineOfContainerd> {
  return { version: await installedVersion(process.env['CONTAINERD_BIN_DIR']) };
}

/** A containerd of this line: the machine's own if it is one, else fetched once and kept. */
export async function containerdOf(
  line: Line,
  root = join(dirname(import.meta.dirname), '.cache', 'containerd'),
): Promise<LineOfContainerd> {
  const own = await ownContainerd().catch(() => undefined);
  if (own !== undefined && isOf(line, own.version)) return own;

  const binDir = join(root, line, 'usr', 'bin');
  if (!(await exists(join(binDir, 'containerd')))) await fetch(line, root);
  const version = await installedVersion(binDir);
  if (isOf(line, version)) return { version, binDir };
  throw new RepriseError(`Debian ${RELEASES[line]} has containerd ${version}, not ${line}`, {
    where: binDir,
    next: `name the release that has containerd ${line} in ${import.meta.filename}, and delete ${join(root, line)}`,
  });
}

/** Whether the name is one of a line. */
export function isLine(name: string): name is Line {
  return name in RELEASES;
}

function isOf(line: Line, version: string): boolean {
  return version.startsWith(`${line}.`);
}

async function fetch(line: Line, root: string): Promise<void> {
  await mkdir(root, { recursive: true });
  const work = await mkdtemp(join(root, 'fetch-'));
  try {
    const apt = await aptFor(RELEASES[line], work);
    await apt('apt-get', '-q', 'update');
    const hasRunc = WITH_RUNC.includes(line);
    await apt('apt-get', '-q', 'download', 'containerd', ...(hasRunc ? PACKAGES_OF_RUNC : []));
    const packages = await readdir(join(work, 'packages'));
    const unpacked = join(work, 'unpacked');
    for (const file of packages) {
      await execa('dpkg-deb', ['--extract', join(work, 'packages', file), unpacked]);
    }
    if (hasRunc) await bindRunc(unpacked, join(root, line));
    // Whole or not at all: a folder that is there is used without another look.
    await rename(unpacked, join(root, line));
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    throw new RepriseError(`cannot fetch containerd ${line}:\n${String(error.stderr)}`, {
      where: `containerd of Debian ${RELEASES[line]}`,
      next: 'check the network, and that the package debian-archive-keyring is installed',
      cause: error,
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Binds the runc unpacked there to the C library beside it, at the place where both will be. */
async function bindRunc(unpacked: string, place: string): Promise<void> {
  const runc = await realpath(join(unpacked, 'usr', 'bin', 'runc'));
  const loaders = await Array.fromAsync(glob(join(unpacked, 'usr', 'lib', '*', 'ld-linux*.so.*')));
  const loader = loaders[0]?.replace(unpacked + sep, place + sep);
  if (loader === undefined) {
    throw new RepriseError('the C library of this release has no loader', { where: unpacked });
  }
  await havePatchelf();
  const paths = ['--set-interpreter', loader, '--set-rpath', dirname(loader)];
  // DT_RPATH, which counts for the libraries of libraries, too.
  await execa('patchelf', [...paths, '--force-rpath', runc]);
}

/** Not one of the packages that every machine is prepared with: others do without. */
async function havePatchelf(): Promise<void> {
  const { failed } = await execa('patchelf', ['--version'], { reject: false });
  if (!failed) return;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await execa('apt-get', ['-q', 'update'], { env });
  await execa('apt-get', ['-q', '-y', '--no-install-recommends', 'install', 'patchelf'], { env });
}

type Apt = (program: 'apt-get', ...args: string[]) => Promise<unknown>;

/** apt for one release of Debian, with everything it reads and writes in one folder. */
async function aptFor(release: string, dir: string): Promise<Apt> {
  for (const folder of ['lists/partial', 'cache/archives/partial', 'packages']) {
    await mkdir(join(dir, folder), { recursive: true });
  }
  const sources = join(dir, 'debian.sources');
  await writeFile(
    sources,
    [
      'Types: deb',
      `URIs: ${await debianMirror()}`,
      `Suites: ${release}`,
      'Components: main',
      `Signed-By: ${DEBIAN_KEYS}`,
      '',
    ].join('\n'),
  );
  // An empty status: what is installed here must not weigh on which version is the best.
  await writeFile(join(dir, 'status'), '');
  const settings = {
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State::lists': join(dir, 'lists'),
    'Dir::State::status': join(dir, 'status'),
    'Dir::Cache': join(dir, 'cache'),
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    // Else a mirror that does not answer is a warning, and the package "cannot be found".
    'APT::Update::Error-Mode': 'any',
    'APT::Default-Release': '',
    // apt's own user may not look into this folder.
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  return (program, ...args) =>
    execa(program, [...options, ...args], { cwd: join(dir, 'packages'), stdin: 'ignore' });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
