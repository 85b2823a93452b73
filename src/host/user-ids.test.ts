import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { lendUserIds, returnUserIds } from './user-ids.ts';

/** A folder of pods with the folders of these. */
function podsFolder(t: ExecutionContext, ...uids: string[]): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-ids-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  for (const uid of uids) fs.mkdirSync(path.join(folder, uid));
  return folder;
}

test('every pod gets 65536 ids of its own, above those of the node', (t) => {
  const folder = podsFolder(t, 'a', 'b', 'c');
  const ranges = ['a', 'b', 'c'].map((uid) => lendUserIds(folder, uid));
  t.deepEqual(
    ranges.map(({ first }) => first),
    [65_536, 131_072, 196_608],
  );
  t.true(ranges.every(({ count }) => count === 65_536));
});

test('a pod keeps its ids for life, and then another may have them', (t) => {
  const folder = podsFolder(t, 'a', 'b', 'c');
  const first = lendUserIds(folder, 'a');
  lendUserIds(folder, 'b');
  t.deepEqual(lendUserIds(folder, 'a'), first);
  returnUserIds(folder, 'a');
  returnUserIds(folder, 'a');
  t.deepEqual(lendUserIds(folder, 'c'), first);
});

test('a file that nobody can make sense of is written anew', (t) => {
  const folder = podsFolder(t, 'a');
  fs.writeFileSync(path.join(folder, 'a', 'user-ids'), 'nonsense');
  t.is(lendUserIds(folder, 'a').first, 65_536);
});
