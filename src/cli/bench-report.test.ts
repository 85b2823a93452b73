import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { RepriseError } from '../errors.ts';
import { aBenchResult } from '../testing/bench-result.ts';
import { report, requireWritable } from './bench-report.ts';
import { UsageError } from './usage-error.ts';

async function folderFor(t: ExecutionContext): Promise<string> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-bench-report-'));
  t.teardown(() => fs.rm(folder, { recursive: true }));
  return folder;
}

test('a file that cannot be written takes the report from nobody else', async (t) => {
  const html = path.join(await folderFor(t), 'bench.html');
  const stream = new PassThrough();
  const printed = readAll(stream);
  const options = { output: 'text', json: '/dev/full', html } as const;
  const failures = await report(aBenchResult(), options, stream);
  stream.end();
  t.regex(await printed, /^In-place restart of 1 pod/);
  t.regex(await fs.readFile(html, 'utf8'), /^<!doctype html>/);
  t.is(failures.length, 1);
  t.true(failures[0] instanceof RepriseError);
  t.like(failures[0], { where: '/dev/full' });
});

test('the files are written when the report cannot be printed', async (t) => {
  const json = path.join(await folderFor(t), 'bench.json');
  for (const [code, isTold] of [
    ['ENOSPC', true],
    ['EPIPE', false],
  ] as const) {
    const stream = new PassThrough({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })),
    });
    stream.on('error', () => undefined);
    const failures = await report(aBenchResult(), { output: 'json', json }, stream);
    t.is(failures.length, isTold ? 1 : 0, code);
    t.regex(await fs.readFile(json, 'utf8'), /"startedAt"/);
    await fs.rm(json);
  }
});

test('what could never be written is refused', async (t) => {
  const folder = await folderFor(t);
  const file = path.join(folder, 'bench.json');
  await t.notThrowsAsync(requireWritable({ output: 'text', json: file }));
  for (const html of [folder, path.join(folder, 'missing', 'bench.html')]) {
    const options = { output: 'text', json: file, html } as const;
    await t.throwsAsync(requireWritable(options), { instanceOf: UsageError }, html);
  }
});
