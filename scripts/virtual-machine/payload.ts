/**
 * A second disk for the guest: the package as users get it, Node.js and npm, a cache of npm that has
 * all libraries, and the checkout with its tests.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { makeDisk } from './image.ts';
import { timed } from './progress.ts';

const root = dirname(dirname(import.meta.dirname));

/** Where the guest mounts it. */
export const PAYLOAD = '/srv/reprise';

/** The disk. */
export interface Payload {
  readonly disk: string;
  /** The same for the same package, provisioned in the same way. */
  readonly key: string;
  /** The same for the same sources and tests, with the same version of Node.js. */
  readonly checkout: string;
}

/** Makes the disk of the working tree as it is now. */
export async function packPayload(dir: string, signal: AbortSignal): Promise<Payload> {
  const disk = join(dir, 'payload.raw');
  const hash = createHash('sha256');
  const content = join(dir, 'content');
  const checkout = await timed('Packing reprise, its tests and Node.js', async () => {
    await rm(content, { recursive: true, force: true });
    await mkdir(content, { recursive: true });
    await packNode(content, dir);
    await packReprise(content, dir);
    const packed = await packCheckout(content);
    for (const file of [
      ...[
        join(content, 'reprise.tgz'),
        join(root, 'scripts/provision'),
        join(root, 'scripts/images.ts'),
      ],
      ...(await readdir(join(root, 'packaging'))).map((name) => join(root, 'packaging', name)),
    ]) {
      hash.update(await readFile(file));
    }
    await makeDisk(content, disk, signal, '3G');
    await rm(content, { recursive: true });
    return packed;
  });
  return { disk, key: hash.digest('hex').slice(0, 16), checkout };
}

/** Node.js as this script runs with it, and an npm that suits it. */
async function packNode(content: string, dir: string): Promise<void> {
  const npm = join(dir, 'npm');
  await execa('npm', ['install', '--prefix', npm, '--no-audit', '--no-fund', 'npm@11']);
  const bin = join(content, 'node', 'bin');
  await mkdir(bin, { recursive: true });
  await cp(process.execPath, join(bin, 'node'));
  await cp(join(npm, 'node_modules'), join(content, 'node', 'lib'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  await symlink('../lib/npm/bin/npm-cli.js', join(bin, 'npm'));
}

/** What \`npm pack\` makes, and everything that \`npm install\` will want with it. */
async function packReprise(content: string, dir: string): Promise<void> {
  await execa('npm', ['pack', '--pack-destination', content], { cwd: root });
  const [tarball = ''] = (await readdir(content)).filter((file) => file.endsWith('.tgz'));
  await rename(join(content, tarball), join(content, 'reprise.tgz'));
  const trial = join(dir, 'trial');
  const options = ['--no-audit', '--no-fund', '--cache', join(content, 'npm-cache')];
  await execa('npm', [
    ...['install', '--global', '--prefix', trial],
    ...[...options, join(content, 'reprise.tgz')],
  ]);
  await rm(trial, { recursive: true });
}

/** Returns a hash of all of it; package-lock.json stands for the libraries. */
async function packCheckout(content: string): Promise<string> {
  const checkout = join(content, 'checkout');
  await mkdir(checkout);
  const { stdout } = await execa(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '-z'],
    { cwd: root },
  );
  const files = stdout.split('\0').filter((file) => file !== '' && !file.startsWith('.toolchain'));
  const input = files.toSorted().join('\0');
  // cpio would need a package; tar is everywhere.
  await execa('bash', ['-c', 'tar -c -C "$0" --null -T - | tar -x -C "$1"', root, checkout], {
    input,
  });
  await cp(join(root, 'node_modules'), join(checkout, 'node_modules'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  await rm(join(checkout, 'node_modules', '.cache'), { recursive: true, force: true });
  return await hashOf(checkout, input);
}

/** Names, contents and modes of these files, whoever has checked them out, and when. */
async function hashOf(folder: string, files: string): Promise<string> {
  const alike = '--mtime=@0 --owner=0 --group=0 --numeric-owner';
  const { stdout } = await execa(
    'bash',
    ['-c', `set -o pipefail; tar -c -C "$0" ${alike} --null -T - | sha256sum`, folder],
    { input: files },
  );
  return createHash('sha256').update(stdout).update(process.version).digest('hex').slice(0, 16);
}
