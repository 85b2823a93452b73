import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { aContainer } from '../testing/builders.ts';
import { aLoan } from '../testing/node.ts';
import { ContainerConfigError } from '../runtime/config-error.ts';
import { valueInFile } from '../runtime/env-file.ts';
import type { EnvFiles } from '../runtime/env-file.ts';
import { readEnvFiles } from './env-files.ts';

/** Reads the files of a volume, from which each key is taken once. */
async function aVolume(t: ExecutionContext, files: Record<string, string>) {
  const root = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-env-'));
  t.teardown(() => fs.rm(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await fs.writeFile(path.join(root, name), text);
  return (...from: readonly (readonly [path: string, key: string])[]): Promise<EnvFiles> => {
    const env = from.map(([file, key], index) => ({
      name: `V${index}`,
      valueFrom: { fileKeyRef: { volumeName: 'v', path: file, key } },
    }));
    return readEnvFiles(aContainer('main', { env }), aLoan({ volumes: { v: root } }));
  };
}

test('the files that variables come from are there, others are not', async (t) => {
  const read = await aVolume(t, { a: "A='1'\nB='2'", b: "A='3'", c: '' });
  const files = await read(['a', 'A'], ['a', 'B'], ['b', 'A'], ['none', 'A']);
  t.deepEqual([...files.keys()], ['v/a', 'v/b']);
  t.is(valueInFile(files.get('v/a') ?? t.fail(), 'B'), '2');
});

test('many keys of a file take no longer than one', async (t) => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `K${index}='${index}'\n`);
  const read = await aVolume(t, { a: lines.join('') });
  const timeFor = async (count: number): Promise<number> => {
    const from = Array.from({ length: count }, (_, index) => ['a', `K${20_000 - index}`] as const);
    const since = performance.now();
    await read(...from);
    return performance.now() - since;
  };
  await timeFor(1);
  const [one, many] = [await timeFor(1), await timeFor(5000)];
  t.true(many < 20 * one, `${many} ms, not ${one} ms`);
});

test('files are not read without an end', async (t) => {
  const read = await aVolume(t, { a: `A='${'x'.repeat(2 ** 20 - 4)}'` });
  const spellings = Array.from(
    { length: 17 },
    (_, index) => [`${'./'.repeat(index)}a`, 'A'] as const,
  );
  t.is((await read(...spellings.slice(1))).size, 16);
  await t.throwsAsync(read(...spellings), {
    instanceOf: ContainerConfigError,
    message: /^file ".*" of volume "v" is too much: .* more than 16777216 characters together$/,
  });
});
