import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { writeFiles } from './atomic-files.ts';
import type { Payload } from './atomic-files.ts';

async function aFolder(): Promise<AsyncDisposable & { readonly at: string }> {
  const at = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-files-'));
  return { at, [Symbol.asyncDispose]: () => fs.rm(at, { recursive: true, force: true }) };
}

function payload(files: Readonly<Record<string, string>>, mode = 0o644): Payload {
  return new Map(
    Object.entries(files).map(([file, text]) => [file, { content: Buffer.from(text), mode }]),
  );
}

/** What a reader of the folder sees: files with their content, in folders, hidden ones left out. */
async function seen(folder: string): Promise<Record<string, string>> {
  const names = (await fs.readdir(folder)).filter((name) => !name.startsWith('..'));
  const entries = names.map(async (name): Promise<[string, string][]> => {
    const place = path.join(folder, name);
    if (!(await fs.stat(place)).isDirectory()) return [[name, await fs.readFile(place, 'utf8')]];
    const below = Object.entries(await seen(place));
    return below.map(([file, text]) => [`${name}/${file}`, text]);
  });
  return Object.fromEntries((await Promise.all(entries)).flat());
}

async function modeOf(...parts: readonly string[]): Promise<string> {
  return ((await fs.stat(path.join(...parts))).mode & 0o7777).toString(8);
}

test('files lie in a folder of their time, behind links that change at once', async (t) => {
  await using folder = await aFolder();
  await writeFiles(folder.at, payload({ a: '1', 'b/c': '2', 'b/d/e': '3' }));
  t.deepEqual(await seen(folder.at), { a: '1', 'b/c': '2', 'b/d/e': '3' });
  const current = await fs.readlink(path.join(folder.at, '..data'));
  t.regex(current, /^\.\.\d{4}(_\d\d){5}\.\w+$/);
  t.is(await fs.readlink(path.join(folder.at, 'a')), '..data/a');
  t.is(await fs.readlink(path.join(folder.at, 'b')), '..data/b');
  t.deepEqual((await fs.readdir(folder.at)).toSorted(), ['..data', current, 'a', 'b'].toSorted());
  t.is(await modeOf(folder.at, '..data/'), '755');
  t.is(await modeOf(folder.at, 'b/d'), '755');
});

test('a change replaces all of it, and leaves nothing of the old', async (t) => {
  await using folder = await aFolder();
  await writeFiles(folder.at, payload({ a: '1', 'b/c': '2', gone: 'x' }));
  const before = await fs.readlink(path.join(folder.at, '..data'));
  await writeFiles(folder.at, payload({ a: '1', 'b/d': '4', come: 'y' }));
  t.deepEqual(await seen(folder.at), { a: '1', 'b/d': '4', come: 'y' });
  t.not(await fs.readlink(path.join(folder.at, '..data')), before);
  t.is((await fs.readdir(folder.at)).filter((name) => name.startsWith('..')).length, 2);
  await writeFiles(folder.at, payload({}));
  t.deepEqual(await seen(folder.at), {});
});

test('what is the same is not written again', async (t) => {
  await using folder = await aFolder();
  await writeFiles(folder.at, payload({ a: '1' }, 0o400));
  const { ino } = await fs.stat(path.join(folder.at, 'a'));
  await writeFiles(folder.at, payload({ a: '1' }, 0o400));
  t.is((await fs.stat(path.join(folder.at, 'a'))).ino, ino);
  await writeFiles(folder.at, payload({ a: '1' }, 0o440));
  t.is(await modeOf(folder.at, 'a'), '440');
});

test('files have exactly their mode, whatever the umask', async (t) => {
  await using folder = await aFolder();
  for (const mode of [0o000, 0o400, 0o666, 0o777]) {
    await writeFiles(folder.at, payload({ a: '1' }, mode));
    t.is(await modeOf(folder.at, 'a'), mode.toString(8));
  }
});

test('with a group files are readable for it, and folders hand it on', async (t) => {
  await using folder = await aFolder();
  await writeFiles(folder.at, payload({ 'a/b': '1' }, 0o400), 2000);
  t.is(await modeOf(folder.at, 'a/b'), '440');
  t.is(await modeOf(folder.at, 'a'), '2755');
  t.is((await fs.stat(path.join(folder.at, 'a/b'))).gid, 2000);
  t.is((await fs.stat(path.join(folder.at, 'a'))).gid, 2000);
});

test('what a crash has left half-done is put right by the next write', async (t) => {
  await using folder = await aFolder();
  await writeFiles(folder.at, payload({ a: '1', b: '2' }));
  const current = await fs.readlink(path.join(folder.at, '..data'));
  await fs.mkdir(path.join(folder.at, '..2020_01_01_00_00_00.abcdef/x'), { recursive: true });
  await fs.symlink('nowhere', path.join(folder.at, '..data_tmp'));
  await fs.unlink(path.join(folder.at, 'b'));
  await fs.symlink('..data/old', path.join(folder.at, 'old'));
  await fs.mkdir(path.join(folder.at, 'c'));
  await writeFiles(folder.at, payload({ a: '1', b: '2', c: '3' }));
  t.deepEqual(await seen(folder.at), { a: '1', b: '2', c: '3' });
  t.is((await fs.readdir(folder.at)).filter((name) => name.startsWith('..')).length, 2);
  t.not(await fs.readlink(path.join(folder.at, '..data')), current);
});

test('a folder whose current files were lost is filled again', async (t) => {
  await using folder = await aFolder();
  await writeFiles(folder.at, payload({ a: '1' }));
  const current = await fs.readlink(path.join(folder.at, '..data'));
  await fs.rm(path.join(folder.at, current), { recursive: true });
  await writeFiles(folder.at, payload({ a: '1' }));
  t.deepEqual(await seen(folder.at), { a: '1' });
});

for (const file of [
  '/a',
  '../a',
  'a/../../b',
  '..',
  '.',
  '',
  '..data',
  './..data/a',
  'a/',
  'a\0b',
]) {
  test(`nothing is written at ${JSON.stringify(file)}`, async (t) => {
    await using folder = await aFolder();
    await t.throwsAsync(writeFiles(folder.at, payload({ ok: '1', [file]: '2' })), {
      message: /cannot be the path of a file/,
    });
    t.deepEqual(await fs.readdir(folder.at), []);
  });
}

test('a file that is a folder of another is refused, and leaves nothing', async (t) => {
  await using folder = await aFolder();
  await t.throwsAsync(writeFiles(folder.at, payload({ a: '1', 'a/b': '2' })));
  t.deepEqual(await fs.readdir(folder.at), []);
});
