import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { AlreadyExistsError, NotFoundError } from '../errors.ts';
import type { ManifestObject } from '../pod/objects.ts';
import { ObjectStore } from './object-store.ts';

function aFolder(t: { teardown: (end: () => void) => void }): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-objects-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

const secret = (name: string, value: string, namespace = 'default'): ManifestObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  type: 'Opaque',
  data: { key: Buffer.from(value).toString('base64') },
});

test('what was kept is there again after a restart', (t) => {
  const folder = aFolder(t);
  const before = new ObjectStore(folder);
  const longest = 'x'.repeat(253);
  for (const name of ['a', longest]) before.create(secret(name, name));
  before.create(secret('a', 'other', 'team'));
  const after = new ObjectStore(folder);
  t.deepEqual(after.load(), []);
  t.deepEqual(after.list('Secret'), before.list('Secret'));
  t.deepEqual(
    after.list('Secret', 'default').map(({ metadata }) => metadata.name),
    ['a', longest],
  );
  t.deepEqual(after.list('ConfigMap'), []);
});

test('what a killed agent was about to keep is not left to lie about', (t) => {
  const folder = aFolder(t);
  new ObjectStore(folder).create(secret('a', 'old'));
  const secrets = path.join(folder, 'objects', 'secrets', 'default');
  fs.writeFileSync(path.join(secrets, 'a.json.4711'), 'half of a secret');
  t.deepEqual(new ObjectStore(folder).load(), []);
  t.deepEqual(fs.readdirSync(secrets), ['a.json']);
});

test('files are for root alone', (t) => {
  const folder = aFolder(t);
  new ObjectStore(folder).create(secret('a', 'x'));
  const modeOf = (place: string): string =>
    (fs.statSync(path.join(folder, 'objects', place)).mode & 0o777).toString(8);
  t.is(modeOf('secrets/default/a.json'), '600');
  t.is(modeOf('secrets/default'), '700');
  t.is(modeOf('.'), '700');
});

for (const [name, namespace] of [
  ['a', '../..'],
  ['a', '..'],
  ['../a', 'default'],
] as const) {
  test(`no file is written outside the folder for ${namespace}/${name}`, (t) => {
    const folder = aFolder(t);
    const store = new ObjectStore(path.join(folder, 'data'));
    t.throws(() => store.create(secret(name, 'x', namespace)), { message: /cannot name a folder/ });
    t.deepEqual(store.list('Secret'), []);
    t.deepEqual(fs.readdirSync(folder), []);
  });
}

test('an object keeps its identity when its content changes', (t) => {
  const store = new ObjectStore(aFolder(t));
  const first = store.create(secret('a', 'x'));
  const second = store.replace(secret('a', 'y'));
  t.is(second.metadata.uid, first.metadata.uid);
  t.is(second.metadata.creationTimestamp, first.metadata.creationTimestamp);
  t.true(Number(second.metadata.resourceVersion) > Number(first.metadata.resourceVersion));
  t.like(store.get('Secret', 'default', 'a'), { data: { key: 'eQ==' } });
});

test('what is there is not made, and what is not there is neither changed nor deleted', (t) => {
  const folder = aFolder(t);
  const store = new ObjectStore(folder);
  t.throws(() => store.replace(secret('a', 'x')), { instanceOf: NotFoundError });
  t.throws(() => store.delete('Secret', 'default', 'a'), { instanceOf: NotFoundError });
  store.create(secret('a', 'x'));
  t.throws(() => store.create(secret('a', 'y')), { instanceOf: AlreadyExistsError });
  store.delete('Secret', 'default', 'a');
  t.is(store.get('Secret', 'default', 'a'), undefined);
  const again = new ObjectStore(folder);
  again.load();
  t.deepEqual(again.list('Secret'), []);
});

test('everybody who wants to hears of changes after they were made', (t) => {
  const store = new ObjectStore();
  const heard: string[] = [];
  store.onChange((kind, namespace, name) => {
    const is = store.get(kind, namespace, name) === undefined ? 'gone' : 'there';
    heard.push(`${kind} ${namespace}/${name} ${is}`);
  });
  store.create(secret('a', 'x'));
  store.replace(secret('a', 'y'));
  store.delete('Secret', 'default', 'a');
  const line = 'Secret default/a';
  t.deepEqual(heard, [`${line} there`, `${line} there`, `${line} gone`]);
});

test('a file that cannot be read is told of without its content, and left alone', (t) => {
  const folder = aFolder(t);
  const store = new ObjectStore(folder);
  store.create(secret('a', 'x'));
  store.create(secret('b', 'x'));
  const file = path.join(folder, 'objects/secrets/default/a.json');
  fs.writeFileSync(file, '{"data": hunter2');
  const again = new ObjectStore(folder);
  const [fault, ...more] = again.load();
  t.deepEqual(more, []);
  t.is(fault?.where, file);
  t.notRegex(JSON.stringify([fault?.message, fault?.cause, fault?.stack]), /hunter2/);
  t.is(again.list('Secret').length, 1);
  t.true(fs.existsSync(file));
});
