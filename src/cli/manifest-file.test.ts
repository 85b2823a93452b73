import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { ManifestError } from '../manifest/manifest-error.ts';
import { readParts } from './manifest-file.ts';

test('a file that is not UTF-8 is refused with its line, and not changed in silence', async (t) => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-manifest-'));
  t.teardown(() => fs.rm(folder, { recursive: true }));
  const file = path.join(folder, 'latin1.yaml');
  const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: caf\u00e9}\n';
  await fs.writeFile(file, text, 'latin1');
  const error = await t.throwsAsync(readParts([file]), { instanceOf: ManifestError });
  t.is(error.where, `${file}:4`);
  await fs.writeFile(file, text);
  const [part] = await readParts([file]);
  t.like(part, { object: { data: { a: 'caf\u00e9' } } });
});

test('a file that is too large is told to be so, wherever it was cut', async (t) => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-manifest-'));
  t.teardown(() => fs.rm(folder, { recursive: true }));
  for (const head of ['', 'x', 'xx']) {
    const file = path.join(folder, 'large.yaml');
    await fs.writeFile(file, `# ${head}${'\u20ac'.repeat(4 * 1024 * 1024)}`);
    const error = await t.throwsAsync(readParts([file]), { instanceOf: ManifestError });
    t.is(error.message, 'the manifest is larger than 10 MiB');
  }
});
