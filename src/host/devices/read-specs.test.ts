// What the text of a CDI specification stands for, as containerd reads it.
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { readSpecs } from './read-specs.ts';

test('a specification in YAML is read as containerd reads it', async (t) => {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-cdi-'));
  t.teardown(() => fs.rm(dir, { recursive: true }));
  await fs.writeFile(
    path.join(dir, 'vendor.yaml'),
    `%YAML 1.2
---
cdiVersion: 0.6.0
kind: acme.test/gpu
annotations: {made: 2026-01-01, at: 12:30}
devices:
- name: a
  containerEdits:
    deviceNodes:
    - {path: /dev/old, fileMode: 0660}
    - {path: /dev/new, fileMode: 0o640}
    - {path: /dev/decimal, fileMode: 432, major: 0xC3}
`,
  );
  const { specs, faults } = readSpecs([dir]);
  t.deepEqual(faults, []);
  t.deepEqual(specs[0]?.spec.annotations, { made: '2026-01-01', at: '12:30' });
  t.deepEqual(specs[0]?.spec.devices[0]?.containerEdits.deviceNodes, [
    { path: '/dev/old', fileMode: 0o660 },
    { path: '/dev/new', fileMode: 0o640 },
    { path: '/dev/decimal', fileMode: 0o660, major: 195 },
  ]);
});

test('a key that is there twice is a fault of the file', async (t) => {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-cdi-'));
  t.teardown(() => fs.rm(dir, { recursive: true }));
  const file = path.join(dir, 'vendor.yaml');
  await fs.writeFile(file, 'cdiVersion: 0.6.0\nkind: a.test/b\nkind: a.test/c\n');
  const { specs, faults } = readSpecs([dir]);
  t.deepEqual(specs, []);
  t.is(faults[0]?.where, file);
  t.regex(faults[0]?.message ?? '', /cannot be read: .*unique/);
});
