import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { blankMemory } from '../pod/memory.ts';
import { LateFlush, memoryFile, memoryFiles, readMemory, writeMemory } from './memory-file.ts';

function folder(t: { teardown: (clean: () => void) => void }): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-memory-'));
  t.teardown(() => {
    fs.rmSync(dir, { recursive: true });
  });
  return dir;
}

const nextMemoryFile = 'status.json.new';

const inGeneration = (generation: number) => ({ ...blankMemory, generation });

function write(dir: string, generation: number): void {
  writeMemory(dir, JSON.stringify(inGeneration(generation)));
}

test('what was written last is read, and nobody else can read it', (t) => {
  const dir = folder(t);
  t.is(readMemory(dir), undefined);
  for (const generation of [1, 2, 3]) {
    write(dir, generation);
    t.deepEqual(readMemory(dir), inGeneration(generation));
  }
  t.deepEqual(fs.readdirSync(dir), [memoryFile, nextMemoryFile]);
  for (const name of fs.readdirSync(dir)) {
    t.true(memoryFiles.includes(name), name);
    t.is(fs.statSync(path.join(dir, name)).mode & 0o777, 0o600, name);
  }
});

test('a shorter memory leaves nothing of a longer one, and no file is made anew', (t) => {
  const dir = folder(t);
  write(dir, 1);
  write(dir, 123_456_789);
  const inodes = () => fs.readdirSync(dir).map((name) => fs.statSync(path.join(dir, name)).ino);
  const before = inodes();
  for (const generation of [2, 3, 1_234, 5]) {
    write(dir, generation);
    t.is(readMemory(dir)?.generation, generation);
  }
  t.deepEqual(inodes(), before);
});

test('a crash before the old one goes leaves the old one in force, however far the new one got', (t) => {
  const dir = folder(t);
  write(dir, 1);
  fs.writeFileSync(path.join(dir, nextMemoryFile), '{"memory":{"gen');
  t.is(readMemory(dir)?.generation, 1);
  write(dir, 2);
  t.is(readMemory(dir)?.generation, 2);
});

test('a crash after the old one went leaves the new one in force', (t) => {
  const dir = folder(t);
  write(dir, 1);
  fs.renameSync(path.join(dir, memoryFile), path.join(dir, nextMemoryFile));
  t.is(readMemory(dir)?.generation, 1);
});

test('a crash between the names leaves the new one in force, and the next one does not write over it', (t) => {
  const dir = folder(t);
  write(dir, 1);
  write(dir, 2);
  const [file = '', next = '', last = ''] = memoryFiles.map((name) => path.join(dir, name));
  fs.renameSync(next, last);
  fs.renameSync(file, next);
  t.is(readMemory(dir)?.generation, 2);
  const whole = fs.statSync(next).ino;
  write(dir, 3);
  t.is(readMemory(dir)?.generation, 3);
  t.not(fs.statSync(file).ino, whole);
});

test('what a power cut has left of a file is an error, not a memory', (t) => {
  const dir = folder(t);
  fs.writeFileSync(path.join(dir, memoryFile), '');
  t.throws(() => readMemory(dir), { instanceOf: SyntaxError });
});

test('a file that cannot be flushed is told of, one that is gone is not', async (t) => {
  const dir = folder(t);
  const reports: unknown[] = [];
  const flush = new LateFlush((error) => reports.push(error), 1);
  write(dir, 1);
  flush.soon(dir);
  flush.soon(path.join(dir, 'forgotten'));
  // Not a folder: no file can be in it.
  flush.soon(path.join(dir, memoryFile));
  while (reports.length === 0) await sleep(1);
  await sleep(5);
  t.like(reports, [{ code: 'ENOTDIR' }]);
  t.is(reports.length, 1);
});
