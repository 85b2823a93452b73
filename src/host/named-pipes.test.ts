import { once } from 'node:events';
import fs from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { execa } from 'execa';
import { makeNamedPipes } from './named-pipes.ts';

async function aFolder(t: ExecutionContext): Promise<string> {
  const parent = await mkdtemp(path.join(os.tmpdir(), 'reprise-pipes-'));
  t.teardown(() => rm(parent, { recursive: true, force: true }));
  return path.join(parent, 'exec', 'one');
}

test('a program at the other side reads and writes, and its end is ours', async (t) => {
  await using pipes = await makeNamedPipes(await aFolder(t));
  const { stdin, stdout, stderr } = pipes.paths;
  const script = `exec <"$0" >"$1" 2>"$2"; echo ready >&2; tr a-z A-Z`;
  const program = execa('sh', ['-c', script, stdin, stdout, stderr]);
  const output = text(pipes.stdout);
  // It has opened all of them.
  const [ready] = (await once(pipes.stderr, 'data')) as [Buffer];
  t.is(ready.toString(), 'ready\n');
  pipes.stdin.write('some words');
  await new Promise((resolve) => pipes.stdin.end(resolve));
  pipes.release();
  t.is(await output, 'SOME WORDS');
  await program;
});

test('nobody has written yet: that is not the end', async (t) => {
  await using pipes = await makeNamedPipes(await aFolder(t));
  const ended = text(pipes.stdout);
  const late = execa('sh', ['-c', 'sleep 0.2; echo late >"$0"', pipes.paths.stdout]);
  await late;
  pipes.release();
  t.is(await ended, 'late\n');
});

test('only root can open them, and nothing is left of them', async (t) => {
  const folder = await aFolder(t);
  {
    await using pipes = await makeNamedPipes(folder);
    t.is(fs.statSync(folder).mode & 0o777, 0o700);
    t.true(fs.statSync(pipes.paths.stdin).isFIFO());
    t.is(fs.statSync(pipes.paths.stdin).mode & 0o777, 0o600);
    t.is(openBelow(folder).length, 6);
  }
  t.false(fs.existsSync(folder));
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(openBelow(folder), []);
});

test('a folder that is there already is left alone', async (t) => {
  const folder = await aFolder(t);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'file'), '');
  await t.throwsAsync(makeNamedPipes(folder), { code: 'EEXIST' });
  t.deepEqual(fs.readdirSync(folder), ['file']);
});

/** What this process has open in a folder. */
function openBelow(folder: string): string[] {
  const links = fs.readdirSync('/proc/self/fd').map((fd) => path.join('/proc/self/fd', fd));
  const here = links.filter((link) => fs.lstatSync(link, { throwIfNoEntry: false }) !== undefined);
  return here.map((link) => fs.readlinkSync(link)).filter((target) => target.startsWith(folder));
}
