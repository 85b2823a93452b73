import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { isMadeHere, noteMissingParents, removeUnusedParents } from './cgroup-parents.ts';
import type { Hierarchy } from './cgroups.ts';

const pod = '/p/burstable/pod1';

/** Folders that look like cgroups, and the file of notes. */
function aTree(t: ExecutionContext) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-parents-'));
  t.teardown(() => fs.rmSync(root, { recursive: true }));
  const hierarchy: Hierarchy = { version: 2, root };
  const file = path.join(root, 'made-cgroups');
  return {
    file,
    note: () => noteMissingParents(pod, hierarchy, file),
    make: () => fs.mkdirSync(path.join(root, path.dirname(pod)), { recursive: true }),
    remove: () => removeUnusedParents(pod, hierarchy, file),
    exists: (cgroup: string) => fs.existsSync(path.join(root, cgroup)),
  };
}

test('parents that were missing are known as made here, and removed', (t) => {
  const { file, note, make, remove, exists } = aTree(t);
  note();
  t.true(isMadeHere('/p', file) && isMadeHere('/p/burstable', file));
  make();
  note();
  t.true(isMadeHere('/p', file));
  remove();
  t.false(exists('/p'));
  t.false(isMadeHere('/p', file) || isMadeHere('/p/burstable', file));
});

test('parents that were there are not ours', (t) => {
  const { file, note, make, remove, exists } = aTree(t);
  make();
  note();
  remove();
  t.true(exists('/p/burstable'));
  t.false(isMadeHere('/p', file) || isMadeHere('/p/burstable', file));
});

const notes: Record<string, string> = {
  'of another boot': '00000000-0000-4000-8000-000000000000\n/p\n/p/burstable\n',
  'that do not say of which boot they are': '/p\n/p/burstable\n',
  'that were cut short': '',
};
for (const [title, text] of Object.entries(notes)) {
  test(`notes ${title} count as none`, (t) => {
    const { file, note, make, remove, exists } = aTree(t);
    fs.writeFileSync(file, text);
    t.false(isMadeHere('/p', file));
    make();
    note();
    remove();
    t.true(exists('/p/burstable'), 'somebody else made it meanwhile');
  });

  test(`notes ${title} are replaced`, (t) => {
    const { file, note, make, remove, exists } = aTree(t);
    fs.writeFileSync(file, text);
    note();
    make();
    t.true(isMadeHere('/p', file));
    remove();
    t.false(exists('/p'));
  });
}
