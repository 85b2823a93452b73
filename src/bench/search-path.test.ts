// The PATH of whoever listens on a socket, asked of the kernel about processes of the test.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { searchPathOf } from './search-path.ts';

async function folderFor(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'reprise-search-path-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return folder;
}

/** Another program that listens on the socket, with this PATH. */
async function listen(t: ExecutionContext, socket: string, searchPath: string): Promise<void> {
  const script = `require('node:net').createServer().listen(process.argv[1], () => console.log('listens'))`;
  const program = spawn(process.execPath, ['-e', script, socket], {
    env: { PATH: searchPath },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(async () => {
    program.kill('SIGKILL');
    await once(program, 'close');
  });
  await once(program.stdout, 'data');
}

test('it is that of the process that listens, not ours', async (t) => {
  const socket = path.join(await folderFor(t), 'daemon.sock');
  await listen(t, socket, '/opt/of-its-own/bin:/usr/bin');
  t.is(await searchPathOf(socket), '/opt/of-its-own/bin:/usr/bin');
});

test('the socket may go by another path than the one it was made with', async (t) => {
  const folder = await folderFor(t);
  await listen(t, path.join(folder, 'daemon.sock'), '/opt/of-its-own/bin');
  await symlink(folder, path.join(folder, 'link'));
  t.is(await searchPathOf(path.join(folder, 'link', 'daemon.sock')), '/opt/of-its-own/bin');
});

test('two daemons with sockets of the same name are told apart', async (t) => {
  const [one, other] = [await folderFor(t), await folderFor(t)];
  await listen(t, path.join(one, 'daemon.sock'), '/one');
  await listen(t, path.join(other, 'daemon.sock'), '/other');
  t.is(await searchPathOf(path.join(one, 'daemon.sock')), '/one');
  t.is(await searchPathOf(path.join(other, 'daemon.sock')), '/other');
});

test('where nobody listens there is none', async (t) => {
  t.is(await searchPathOf(path.join(await folderFor(t), 'daemon.sock')), undefined);
});
