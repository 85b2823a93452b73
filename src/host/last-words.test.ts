import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import {
  endOfLog,
  makeMessageFile,
  messageFile,
  readMessage,
  removeMessageFile,
  shortened,
} from './last-words.ts';

const never = new AbortController().signal;

interface Folder extends AsyncDisposable {
  readonly file: string;
  readonly path: string;
}

async function aFolder(): Promise<Folder> {
  const directory = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-words-'));
  return {
    path: directory,
    file: messageFile(directory, 'main', 3),
    [Symbol.asyncDispose]: () => fs.rm(directory, { recursive: true, force: true }),
  };
}

test('anybody may write to a message file, and it is empty at first', async (t) => {
  await using folder = await aFolder();
  await makeMessageFile(folder.file);
  t.is(folder.file, path.join(folder.path, 'main', '3'));
  t.is((await fs.stat(folder.file)).mode & 0o777, 0o666);
  t.is(readMessage(folder.file), '');
});

test('made again it is empty again, and what lay in its place is not written to', async (t) => {
  await using folder = await aFolder();
  const other = path.join(folder.path, 'other');
  await fs.writeFile(other, 'untouched', { mode: 0o600 });
  await fs.mkdir(path.dirname(folder.file));
  await fs.symlink(other, folder.file);
  await makeMessageFile(folder.file);
  t.is(readMessage(folder.file), '');
  t.is(await fs.readFile(other, 'utf8'), 'untouched');
  t.is((await fs.stat(other)).mode & 0o777, 0o600);
});

const contents: Record<string, { content: string | Buffer; message: string }> = {
  'a short message is read as it is': { content: 'disk full\n', message: 'disk full\n' },
  'of a long one the last 4096 bytes are read': {
    content: `${'a'.repeat(5000)}end`,
    message: `${'a'.repeat(4093)}end`,
  },
  'a character that is cut in two is left out': {
    content: `${'é'.repeat(3000)}!`,
    message: `${'é'.repeat(2047)}!`,
  },
  'bytes that are no text do no harm': { content: Buffer.from([0xff, 0x41]), message: '\ufffdA' },
};
for (const [title, { content, message }] of Object.entries(contents)) {
  test(title, async (t) => {
    await using folder = await aFolder();
    await makeMessageFile(folder.file);
    await fs.writeFile(folder.file, content);
    t.is(readMessage(folder.file), message);
  });
}

test('a file of a terabyte costs no more than one of a page', async (t) => {
  await using folder = await aFolder();
  await makeMessageFile(folder.file);
  await fs.truncate(folder.file, 2 ** 40);
  t.is(readMessage(folder.file).length, 4096);
});

test('what is no regular file is not read', async (t) => {
  await using folder = await aFolder();
  await fs.mkdir(path.dirname(folder.file));
  t.is(readMessage(folder.file), '', 'no file');
  await fs.symlink('/etc/passwd', folder.file);
  t.regex(readMessage(folder.file), /^Error on reading termination log .*ELOOP/);
  await fs.rm(folder.file);
  await execa('mkfifo', [folder.file]);
  t.is(readMessage(folder.file), '', 'a pipe');
});

test('a message file that is gone can be removed', async (t) => {
  await using folder = await aFolder();
  await makeMessageFile(folder.file);
  await removeMessageFile(folder.file);
  await removeMessageFile(folder.file);
  await t.throwsAsync(fs.stat(folder.file), { code: 'ENOENT' });
});

/** A log of that many numbered lines. */
async function aLog(folder: Folder, count: number, fill = ''): Promise<string> {
  const file = path.join(folder.path, '0.log');
  const lines = Array.from(
    { length: count },
    (_, index) => `2026-01-01T00:00:00.000000000Z stdout F ${index}${fill}\n`,
  );
  await fs.writeFile(file, lines.join(''));
  return file;
}

test('of a log the last 80 lines are taken', async (t) => {
  await using folder = await aFolder();
  const text = await endOfLog(await aLog(folder, 200), never);
  t.deepEqual(
    text.trim().split('\n').map(Number),
    Array.from({ length: 80 }, (_, index) => index + 120),
  );
});

test('and of those not more than 2048 bytes', async (t) => {
  await using folder = await aFolder();
  const log = await aLog(folder, 200, 'x'.repeat(97));
  const text = await endOfLog(log, never);
  t.is(Buffer.byteLength(text), 2048);
  t.true(text.endsWith(`\n199${'x'.repeat(97)}\n`));
});

test('what is too long for a status loses its end, at a character', (t) => {
  t.is(shortened('äöü', 6), 'äöü');
  t.is(shortened('äöü', 5), 'äö');
  t.is(shortened('abc', 0), '');
});
