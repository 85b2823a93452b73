import fs from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import test from 'ava';
import type { HostPathType } from '../../pod/pod.ts';
import { provideHostPath } from './host-path.ts';
import { VolumeError } from './volume-error.ts';

interface Place extends AsyncDisposable {
  readonly root: string;
}

/** A folder with one of everything: file, folder, socket, link, broken link. */
async function aPlace(): Promise<Place> {
  const root = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-hp-'));
  await fs.writeFile(path.join(root, 'file'), '');
  await fs.mkdir(path.join(root, 'folder'));
  await fs.symlink('folder', path.join(root, 'link'));
  await fs.symlink('nowhere', path.join(root, 'broken'));
  const server = net.createServer().listen(path.join(root, 'socket'));
  await once(server, 'listening');
  return {
    root,
    async [Symbol.asyncDispose]() {
      server.close();
      await fs.rm(root, { recursive: true, force: true });
    },
  };
}

const accepted: Record<string, [type: HostPathType, name: string]> = {
  'without a type nothing is checked': ['', 'absent'],
  'a directory is a directory': ['Directory', 'folder'],
  'a link to a directory is followed': ['Directory', 'link'],
  'a file is a file': ['File', 'file'],
  'a socket is a socket': ['Socket', 'socket'],
  'a device is a device': ['CharDevice', '/dev/null'],
  'what may be made need not be made': ['DirectoryOrCreate', 'folder'],
  'a file that may be made need not be made': ['FileOrCreate', 'file'],
};
for (const [title, [type, name]] of Object.entries(accepted)) {
  test(title, async (t) => {
    await using place = await aPlace();
    const full = path.resolve(place.root, name);
    t.is(await provideHostPath('data', { path: full, type }), full);
  });
}

const refused: Record<string, [type: HostPathType, name: string, message: RegExp]> = {
  'a missing directory': ['Directory', 'absent', /"data" needs a directory, but there is nothing/],
  'a missing file': ['File', 'absent', /needs a file, but there is nothing/],
  'a file for a directory': ['Directory', 'file', /needs a directory, but there is a file/],
  'a file where a directory may be made': ['DirectoryOrCreate', 'file', /there is a file/],
  'a directory for a file': ['FileOrCreate', 'folder', /needs a file, but there is a directory/],
  'a file for a socket': ['Socket', 'file', /needs a socket, but there is a file/],
  'a character device for a block device': [
    'BlockDevice',
    '/dev/null',
    /needs a block device, but there is a character device/,
  ],
  'a broken link': ['File', 'broken', /there is nothing/],
  'a directory at a broken link': ['DirectoryOrCreate', 'broken', /cannot be used/],
  'a directory where none can be made': ['DirectoryOrCreate', '/proc/absent/x', /cannot be used/],
  'a file in a missing folder': ['FileOrCreate', 'absent/file', /cannot be used: ENOENT/],
  'a path through a file': ['Directory', 'file/below', /cannot be used: ENOTDIR/],
};
for (const [title, [type, name, message]] of Object.entries(refused)) {
  test(`refused: ${title}`, async (t) => {
    await using place = await aPlace();
    const full = path.resolve(place.root, name);
    const error = await t.throwsAsync(provideHostPath('data', { path: full, type }), {
      instanceOf: VolumeError,
      message,
    });
    t.is(error.where, full);
    t.truthy(error.next);
  });
}

test('a missing directory is made with its parents, readable for all', async (t) => {
  await using place = await aPlace();
  const full = path.join(place.root, 'a/b/c');
  await provideHostPath('data', { path: full, type: 'DirectoryOrCreate' });
  for (const each of ['a', 'a/b', 'a/b/c']) {
    t.is((await fs.stat(path.join(place.root, each))).mode & 0o7777, 0o755);
  }
  t.is((await fs.stat(place.root)).mode & 0o7777, 0o700, 'what was there keeps its mode');
});

test('a missing file is made empty, an existing one keeps its content and mode', async (t) => {
  await using place = await aPlace();
  const made = path.join(place.root, 'made');
  await provideHostPath('data', { path: made, type: 'FileOrCreate' });
  t.is((await fs.stat(made)).mode & 0o7777, 0o644);
  await fs.writeFile(made, 'content');
  await fs.chmod(made, 0o600);
  await provideHostPath('data', { path: made, type: 'FileOrCreate' });
  t.is(await fs.readFile(made, 'utf8'), 'content');
  t.is((await fs.stat(made)).mode & 0o7777, 0o600);
});

test('a path that is relative or climbs is refused', async (t) => {
  for (const odd of ['relative', '/tmp/../etc', '']) {
    await t.throwsAsync(provideHostPath('data', { path: odd, type: '' }), {
      instanceOf: VolumeError,
    });
  }
});

test.serial(
  'a link that somebody puts in the place of a new directory is not followed',
  async (t) => {
    await using place = await aPlace();
    const [full, target] = [path.join(place.root, 'swapped'), path.join(place.root, 'target')];
    await fs.mkdir(target, { mode: 0o700 });
    const { mkdir } = fs;
    const quicker = async (made: string): Promise<void> => {
      await mkdir(made);
      if (made !== full) return;
      await fs.rmdir(full);
      await fs.symlink(target, full);
    };
    Object.assign(fs, { mkdir: quicker });
    t.teardown(() => Object.assign(fs, { mkdir }));
    await t.throwsAsync(provideHostPath('data', { path: full, type: 'DirectoryOrCreate' }), {
      instanceOf: VolumeError,
    });
    t.is((await fs.stat(target)).mode & 0o7777, 0o700);
  },
);
