import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { createLogger } from './log.ts';

test('a line is written at once, as JSON', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-log-'));
  const file = join(folder, 'log');
  const descriptor = openSync(file, 'w');
  createLogger({ level: 'info', descriptor }).info({ pod: 'default/web' }, 'it runs');
  t.like(JSON.parse(readFileSync(file, 'utf8')), {
    level: 'info',
    pod: 'default/web',
    msg: 'it runs',
  });
  closeSync(descriptor);
  rmSync(folder, { recursive: true });
});

/** A logger whose disk is full until room is made. */
function onFullDisk() {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-log-'));
  const file = join(folder, 'log');
  const descriptor = openSync('/dev/full', 'w');
  const opened: number[] = [];
  return {
    log: createLogger({ level: 'info', descriptor }),
    /** From now on the same descriptor leads to a file. */
    makeRoom(): void {
      closeSync(descriptor);
      // Lower ones may be free, too, and are given first.
      while (opened.at(-1) !== descriptor) opened.push(openSync(file, 'a'));
    },
    written: () => readFileSync(file, 'utf8'),
    [Symbol.dispose]() {
      for (const each of opened) closeSync(each);
      rmSync(folder, { recursive: true });
    },
  };
}

test('lines that cannot be written are no trouble for whoever logs, and come when they can', (t) => {
  using disk = onFullDisk();
  for (const message of ['first', 'second']) t.notThrows(() => disk.log.info(message));
  disk.makeRoom();
  disk.log.info('third');
  const messages = disk.written().match(/(?<="msg":")\w+/g);
  t.deepEqual(messages, ['first', 'second', 'third']);
});

test('only so many lines wait for a full disk', (t) => {
  using disk = onFullDisk();
  for (let count = 0; count < 100; count += 1) disk.log.info('x'.repeat(100_000));
  disk.makeRoom();
  disk.log.info('last');
  disk.log.info('not lost any more');
  t.regex(disk.written(), /"not lost any more"/);
  t.true(disk.written().length < 2_000_000);
});
