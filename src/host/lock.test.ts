import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { RepriseError } from '../errors.ts';
import { DataDirBusy, lockFolder } from './lock.ts';

// One after the other: a process that is just being started by this one holds all that this one has open
// until it has become another program.

async function aFolder(): Promise<{ place: string } & AsyncDisposable> {
  const place = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-lock-'));
  return {
    place,
    [Symbol.asyncDispose]: () => fs.rm(place, { recursive: true, force: true }),
  };
}

test.serial('a second lock is refused with the name of the process that holds it', async (t) => {
  await using folder = await aFolder();
  await using lock = await lockFolder(folder.place);
  t.truthy(lock);

  const error = await t.throwsAsync(lockFolder(folder.place), { instanceOf: DataDirBusy });

  t.is(error.message, `process ${process.pid} uses this data directory`);
  t.is(error.where, folder.place);
});

test.serial('a lock that was given back can be taken again', async (t) => {
  await using folder = await aFolder();
  for (let round = 0; round < 3; round += 1) {
    await using lock = await lockFolder(folder.place);
    t.truthy(lock);
  }
});

test.serial('of many who want it at once exactly one gets it', async (t) => {
  await using folder = await aFolder();
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder.place)));
  const got = tries.filter((each) => each.status === 'fulfilled');
  t.is(got.length, 1);
  for (const { value } of got) await value[Symbol.asyncDispose]();
});

test.serial('the lock of a process that was killed is free at once', async (t) => {
  await using folder = await aFolder();
  const script = `
    import { lockFolder } from ${JSON.stringify(new URL('lock.ts', import.meta.url).href)};
    await lockFolder(${JSON.stringify(folder.place)});
    globalThis.gc?.();
    console.log('locked');
    setInterval(() => {}, 1000);`;
  const holder = spawn(
    process.execPath,
    ['--expose-gc', '--input-type=module-typescript', '--eval', script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(holder.stdout, 'data');
  const error = await t.throwsAsync(lockFolder(folder.place), { instanceOf: DataDirBusy });
  t.regex(error.message, new RegExp(`process ${holder.pid} `));

  holder.kill('SIGKILL');
  await once(holder, 'exit');

  await using lock = await lockFolder(folder.place);
  t.truthy(lock);
});

const testAsRoot = process.getuid?.() === 0 ? test.serial : test.serial.skip;

testAsRoot('a folder on a full disk is locked, if without the name of who has it', async (t) => {
  await using folder = await aFolder();
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder.place]);
  try {
    const fill = fs.writeFile(path.join(folder.place, 'all'), Buffer.alloc(2 ** 17));
    await t.throwsAsync(fill, { code: 'ENOSPC' });
    await using lock = await lockFolder(folder.place);
    t.truthy(lock);
    await t.throwsAsync(lockFolder(folder.place), {
      instanceOf: DataDirBusy,
      message: 'another process uses this data directory',
    });
  } finally {
    await execa('umount', [folder.place]);
  }
});

test.serial('a folder in which nothing can be opened says what to do', async (t) => {
  await using folder = await aFolder();
  await fs.mkdir(path.join(folder.place, 'lock'));
  const error = await t.throwsAsync(lockFolder(folder.place), { instanceOf: RepriseError });
  t.regex(error.message, /^the data directory cannot be written to: EISDIR/);
  t.regex(error.next ?? '', /--data-dir/);
});
