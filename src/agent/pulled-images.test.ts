import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { PulledImages } from './pulled-images.ts';

function aFolder(t: { teardown: (end: () => void) => void }): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-pulled-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

const bob = { username: 'bob', password: 'open sesame' };
const eve = { username: 'eve', password: 'guess' };
const image = 'a.test/private:1';
const id = 'sha256:1';

/** Who may use an image, as every life of an agent would say. */
function users(folder: string, name = image, of = id): string[] {
  const pulled = new PulledImages(folder);
  if (pulled.load().length > 0) throw new Error('the file cannot be read');
  const everybody = { nobody: [], bob: [bob], eve: [eve], both: [eve, bob] };
  return Object.entries(everybody)
    .filter(([, credentials]) => pulled.mayUse(name, of, () => credentials))
    .map(([who]) => who);
}

const all = ['nobody', 'bob', 'eve', 'both'];

test('an image that nobody has pulled with credentials is for everybody', (t) => {
  const folder = aFolder(t);
  new PulledImages(folder).succeeded(image, id, undefined);
  t.deepEqual(users(folder), all);
  t.deepEqual(fs.readdirSync(folder), [], 'and there is nothing to note');
});

test('an image that was pulled with credentials is for those who have them', (t) => {
  const folder = aFolder(t);
  const pulled = new PulledImages(folder);
  pulled.began(image);
  pulled.succeeded(image, id, bob);
  t.deepEqual(users(folder), ['bob', 'both']);
  t.deepEqual(users(folder, 'a.test/private:other'), ['bob', 'both'], 'whatever the tag');
  t.deepEqual(users(folder, image, 'sha256:2'), all, 'another image is another image');
  pulled.succeeded(image, id, eve);
  t.deepEqual(users(folder), ['bob', 'eve', 'both']);
});

test('the same image under another name has to be asked for under that name', (t) => {
  const folder = aFolder(t);
  const pulled = new PulledImages(folder);
  pulled.succeeded(image, id, bob);
  t.deepEqual(users(folder, 'b.test/public:1'), []);
  pulled.succeeded('b.test/public:1', id, undefined);
  t.deepEqual(users(folder, 'b.test/public:1'), all);
  t.deepEqual(users(folder), ['bob', 'both']);
});

test('what a registry gives to everybody is for everybody', (t) => {
  const folder = aFolder(t);
  const pulled = new PulledImages(folder);
  pulled.succeeded(image, id, bob);
  pulled.succeeded(image, id, undefined);
  pulled.succeeded(image, id, eve);
  t.deepEqual(users(folder), all);
});

test('a pull that was cut short is for nobody until it is known for whom', (t) => {
  const folder = aFolder(t);
  const pulled = new PulledImages(folder);
  t.true(pulled.began(image));
  t.deepEqual(users(folder), []);
  t.deepEqual(users(folder, 'a.test/private'), [], 'nor by another tag');
  t.deepEqual(users(folder, 'a.test/other:1'), all);
  t.false(pulled.began(image), 'a second one does not know of the first');
  pulled.failed(image);
  t.deepEqual(users(folder), all);
  pulled.began(image);
  pulled.succeeded(image, id, undefined);
  t.deepEqual(users(folder), all);
});

test('the file is for root alone and does not tell passwords', (t) => {
  const folder = aFolder(t);
  new PulledImages(folder).succeeded(image, id, bob);
  const file = path.join(folder, 'pulled-images.json');
  t.is(fs.statSync(file).mode & 0o777, 0o600);
  t.notRegex(fs.readFileSync(file, 'utf8'), /bob|sesame/);
});

test('a file that cannot be read is told of', (t) => {
  const folder = aFolder(t);
  fs.writeFileSync(path.join(folder, 'pulled-images.json'), '{');
  t.regex(new PulledImages(folder).load()[0]?.message ?? '', /cannot be read/);
});
