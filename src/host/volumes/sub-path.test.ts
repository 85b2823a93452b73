// Real mounts, so it needs root.
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { execa } from 'execa';
import { isErrno } from '../errno.ts';
import { removeFolder } from '../mounts.ts';
import { provideSubPaths } from './sub-path.ts';
import { VolumeError } from './volume-error.ts';

const testAsRoot = process.getuid?.() === 0 ? test : test.skip;

interface Places extends AsyncDisposable {
  /** The volume, into which a container may have written anything. */
  readonly root: string;
  /** A folder of the node with a file "precious". */
  readonly outside: string;
  /** Binds a sub-path and says where. */
  readonly bind: (subPath: string) => Promise<string>;
}

async function places(): Promise<Places> {
  const directory = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-sub-'));
  const root = path.join(directory, 'volume');
  const outside = path.join(directory, 'outside');
  const place = path.join(directory, 'sub-paths', 'data', 'main', '0');
  await fs.mkdir(root);
  await fs.chmod(root, 0o2770);
  await fs.mkdir(outside);
  await fs.writeFile(path.join(outside, 'precious'), 'content');
  return {
    root,
    outside,
    bind: async (subPath) => {
      await provideSubPaths([{ volume: 'data', root, subPath, place }]);
      return place;
    },
    [Symbol.asyncDispose]: () => removeFolder(directory),
  };
}

async function mountIdOf(place: string): Promise<string> {
  const table = await fs.readFile('/proc/self/mountinfo', 'utf8');
  const lines = table.split('\n').filter((line) => line.split(' ')[4] === place);
  return lines.map((line) => line.split(' ')[0]).join(' and ');
}

testAsRoot('a missing folder is made with the mode of the volume', async (t) => {
  await using here = await places();
  const place = await here.bind('a//./b');
  const made = await fs.stat(path.join(here.root, 'a/b'));
  t.is(made.mode & 0o7777, 0o2770);
  t.is((await fs.stat(place)).ino, made.ino);
});

testAsRoot('a file is bound as a file', async (t) => {
  await using here = await places();
  await fs.writeFile(path.join(here.root, 'conf'), 'x=1');
  t.is(await fs.readFile(await here.bind('conf'), 'utf8'), 'x=1');
});

testAsRoot('the volume itself may be the sub-path', async (t) => {
  await using here = await places();
  t.is((await fs.stat(await here.bind('.'))).ino, (await fs.stat(here.root)).ino);
});

testAsRoot('doing it again keeps the mount', async (t) => {
  await using here = await places();
  const place = await here.bind('a');
  const id = await mountIdOf(place);
  await here.bind('a');
  t.regex(id, /^\d+$/);
  t.is(await mountIdOf(place), id);
});

testAsRoot('what took the place of a folder or file is bound instead of it', async (t) => {
  await using here = await places();
  const place = await here.bind('a');
  await fs.rmdir(path.join(here.root, 'a'));
  await fs.writeFile(path.join(here.root, 'a'), 'now a file');
  t.is(await fs.readFile(await here.bind('a'), 'utf8'), 'now a file');
  await fs.unlink(path.join(here.root, 'a'));
  await here.bind('a');
  t.true((await fs.stat(place)).isDirectory());
  t.regex(await mountIdOf(place), /^\d+$/, 'one mount, not one over another');
});

testAsRoot('links inside the volume are followed', async (t) => {
  await using here = await places();
  await fs.mkdir(path.join(here.root, '..2026_01_01'));
  await fs.writeFile(path.join(here.root, '..2026_01_01/conf'), 'x=1');
  await fs.symlink('..2026_01_01', path.join(here.root, '..data'));
  await fs.symlink('..data/conf', path.join(here.root, 'conf'));
  await fs.mkdir(path.join(here.root, 'deep'));
  await fs.symlink('../conf', path.join(here.root, 'deep/up'));
  t.is(await fs.readFile(await here.bind('deep/up'), 'utf8'), 'x=1');
});

testAsRoot('so are absolute ones that lead to where the volume is on the machine', async (t) => {
  await using here = await places();
  const { root, bind } = here;
  await fs.mkdir(path.join(root, 'releases/42'), { recursive: true });
  await fs.writeFile(path.join(root, 'releases/42/conf'), 'x=42');
  await fs.symlink(path.join(root, 'releases/42'), path.join(root, 'current'));
  t.is(await fs.readFile(await bind('current/conf'), 'utf8'), 'x=42');
  // From inside the volume `..` still leads nowhere.
  await fs.symlink(`${root}/releases/../../outside`, path.join(root, 'out'));
  await isRefused(t, here, 'out/new', /leads out of the volume/);
  await fs.symlink(`${root}-other`, path.join(root, 'neighbour'));
  await isRefused(t, here, 'neighbour', /leads out of the volume/);
});

testAsRoot('what is mounted in it later is unmounted there alone', async (t) => {
  await using here = await places();
  const { root, bind } = here;
  const disk = path.join(root, 'a', 'disk');
  // As systemd mounts it: what is mounted in it is mounted in each copy of it.
  await execa('mount', ['-t', 'tmpfs', 'shared', root]);
  await execa('mount', ['--make-shared', root]);
  const place = await bind('a');
  await fs.mkdir(disk);
  await execa('mount', ['-t', 'tmpfs', 'disk', disk]);
  await fs.writeFile(path.join(disk, 'data'), 'kept');
  t.is(await fs.readFile(path.join(place, 'disk/data'), 'utf8'), 'kept');
  // Another folder takes its place, and then the pod is removed.
  await fs.mkdir(path.join(root, 'b'));
  await bind('b');
  t.is(await fs.readFile(path.join(disk, 'data'), 'utf8'), 'kept');
  await bind('a');
  await removeFolder(place);
  t.is(await fs.readFile(path.join(disk, 'data'), 'utf8'), 'kept');
});

async function isRefused(
  t: ExecutionContext,
  here: Places,
  subPath: string,
  because: RegExp,
): Promise<void> {
  const error = await t.throwsAsync(here.bind(subPath), { instanceOf: VolumeError }, subPath);
  t.regex(error.message, because, subPath);
  t.deepEqual(await fs.readdir(here.outside), ['precious'], subPath);
}

testAsRoot('no link leads out of the volume, and nothing is made out there', async (t) => {
  await using here = await places();
  const { root, outside } = here;
  await fs.symlink(outside, path.join(root, 'absolute'));
  await fs.symlink('../outside', path.join(root, 'relative'));
  await fs.mkdir(path.join(root, 'deep'));
  await fs.symlink('../../outside', path.join(root, 'deep/relative'));
  await fs.symlink('deep/../..', path.join(root, 'winding'));
  await fs.symlink('/proc/self/root', path.join(root, 'magic'));
  for (const subPath of [
    'absolute',
    'absolute/precious',
    'absolute/new',
    'relative/new',
    'deep/relative/new',
    'winding/outside/new',
    'magic/etc/shadow',
  ]) {
    await isRefused(t, here, subPath, /leads out of the volume/);
  }
});

testAsRoot('links in circles end', async (t) => {
  await using here = await places();
  await fs.symlink('b', path.join(here.root, 'a'));
  await fs.symlink('a', path.join(here.root, 'b'));
  await isRefused(t, here, 'a/c', /too many symbolic links/);
});

testAsRoot('nothing is below a file', async (t) => {
  await using here = await places();
  await fs.writeFile(path.join(here.root, 'file'), '');
  await isRefused(t, here, 'file/new', /"file" is no directory/);
});

testAsRoot(
  'a folder that turns into a link and back while it is looked at leads nowhere else',
  async (t) => {
    await using here = await places();
    const dir = path.join(here.root, 'dir');
    const away = path.join(here.root, 'away');
    await fs.mkdir(dir);
    const stop = new AbortController();
    // What is missing for a moment may be made anew in that moment, and then again.
    const moveBack = async (): Promise<void> => {
      try {
        await fs.rm(dir, { recursive: true, force: true });
        await fs.rename(away, dir);
      } catch (error) {
        if (!isErrno(error, 'ENOTEMPTY')) throw error;
        await moveBack();
      }
    };
    const flipping = (async () => {
      while (!stop.signal.aborted) {
        await fs.rename(dir, away);
        // In between, the missing folder may have been made.
        await fs.symlink(here.outside, dir).catch(() => undefined);
        await moveBack();
      }
    })();
    try {
      for (let round = 0; round < 300; round++) {
        const place = await here.bind('dir/inner').catch((error: unknown) => {
          t.true(error instanceof VolumeError);
          return undefined;
        });
        if (place !== undefined) t.deepEqual(await fs.readdir(place), []);
      }
    } finally {
      stop.abort();
      await flipping;
    }
    t.deepEqual(await fs.readdir(here.outside), ['precious']);
  },
);
