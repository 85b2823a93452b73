import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { ConflictError } from '../errors.ts';
import { blankMemory } from '../pod/memory.ts';
import type { Pod } from '../pod/pod.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import { ClaimStore } from './devices/claims.ts';
import { PodStore } from './store.ts';

interface Kept {
  readonly store: PodStore;
  readonly dataDir: string;
  readonly fileOf: (uid: string) => string;
}

function keep(t: { teardown: (clean: () => void) => void }, ...uids: string[]): Kept {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-store-'));
  t.teardown(() => {
    fs.rmSync(dataDir, { recursive: true });
  });
  const store = new PodStore(dataDir, () => undefined);
  for (const uid of uids) store.accept(withUid(uid));
  return { store, dataDir, fileOf: (uid) => path.join(dataDir, 'pods', uid, 'pod.json') };
}

function withUid(uid: string): Pod {
  const pod = aPod([aContainer('setup')], [aContainer('main')]);
  return { ...pod, metadata: { ...pod.metadata, uid } };
}

test('a pod that was accepted is found again, with what is remembered of it', (t) => {
  const { store } = keep(t, 'one');
  const memory = { ...blankMemory, generation: 3 };
  store.save(withUid('one'), JSON.stringify(memory));
  const { pods, faults, unreadable } = store.load();
  t.deepEqual(pods, [{ pod: withUid('one'), memory, objects: [] }]);
  t.deepEqual([faults, unreadable], [[], []]);
});

const damages: Record<string, readonly [text: string, why: RegExp]> = {
  'that ends too early': ['{"metadata":', /JSON/],
  'with nothing in it': ['{}', /it holds no pod: pod\.metadata: /],
  'that is no object': ['null', /it holds no pod: pod: /],
  'of another pod': [JSON.stringify(withUid('other')), /it holds no pod: pod\.metadata\.uid: /],
  'with half a container': [
    JSON.stringify({ ...withUid('bad'), spec: { initContainers: [], containers: [{}] } }),
    /it holds no pod: pod\.spec\.containers\.0\.name: /,
  ],
};
for (const [title, [text, why]] of Object.entries(damages)) {
  test(`a file ${title} keeps no other pod from being found, and is told of`, (t) => {
    const { store, fileOf } = keep(t, 'bad', 'good');
    fs.writeFileSync(fileOf('bad'), text);
    const { pods, faults, unreadable } = store.load();
    t.deepEqual(
      pods.map(({ pod }) => pod.metadata.uid),
      ['good'],
    );
    t.deepEqual(unreadable, ['bad']);
    t.regex(faults[0]?.message ?? '', why);
    t.is(faults[0]?.where, fileOf('bad'));
    t.is(fs.readFileSync(fileOf('bad'), 'utf8'), text);
  });
}

test('nothing is left of a pod that cannot be kept', (t) => {
  const { store, dataDir } = keep(t);
  const noJson = [{ kind: 'Secret', data: 1n }] as never;
  t.throws(() => store.accept(withUid('new'), noJson), { instanceOf: TypeError });
  t.deepEqual(fs.readdirSync(path.join(dataDir, 'pods')), []);
});

test('no pod takes the place of one that cannot be read', (t) => {
  const { store, fileOf } = keep(t, 'bad');
  fs.writeFileSync(fileOf('bad'), '{');
  t.throws(() => store.accept(withUid('bad')), { instanceOf: ConflictError });
  t.is(fs.readFileSync(fileOf('bad'), 'utf8'), '{');
});

test('a pod is not kept outside the folder for pods', (t) => {
  const { store, dataDir } = keep(t);
  const pod = withUid('../outside');
  t.throws(() => store.accept(pod), { message: /"\.\.\/outside" cannot name a folder/ });
  t.deepEqual(fs.readdirSync(dataDir), ['pods']);
});

test('a folder that was being forgotten is no pod any more', (t) => {
  const { store, fileOf } = keep(t, 'gone');
  fs.rmSync(fileOf('gone'));
  t.deepEqual(store.load(), { pods: [], faults: [], unreadable: [], leftOver: ['gone'] });
});

test('what a killed agent has left half-written goes with the pod, and nothing of anybody else', (t) => {
  const { store, fileOf } = keep(t, 'gone');
  const folder = path.dirname(fileOf('gone'));
  // As write-file-atomic calls them, and we ourselves.
  const halfWritten = ['pod.json.1', 'objects.json.23', 'devices.json.4', 'etc-hosts.5'];
  for (const name of [...halfWritten, 'user-ids.new'])
    fs.writeFileSync(path.join(folder, name), '');
  fs.writeFileSync(path.join(folder, 'notes.1'), '');
  t.throws(() => store.forget('gone'), { message: /that is not the pod's/ });
  t.deepEqual(fs.readdirSync(folder), ['notes.1']);
  fs.rmSync(path.join(folder, 'notes.1'));
  store.forget('gone');
  t.false(fs.existsSync(folder));
  t.notThrows(() => store.forget('gone'));
});

test('a claim on devices that is none is an error, not a claim', (t) => {
  const { dataDir } = keep(t, 'one');
  const claims = new ClaimStore(dataDir);
  claims.save('one', { arrival: 1 });
  t.deepEqual(claims.load('one'), { arrival: 1 });
  for (const text of ['null', '{}', '{"arr']) {
    fs.writeFileSync(path.join(dataDir, 'pods', 'one', 'devices.json'), text);
    t.throws(() => claims.load('one'), { message: /which devices a pod has cannot be read/ }, text);
  }
});
