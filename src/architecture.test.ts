/**
 * Reads every import and fails on an arrow that the architecture does not have.
 *
 * pod/ judges and touches nothing; manifest/, host/ and runtime/ each know one side of the world;
 * devices/ judges too, of what is handed out; agent/ brings them together; api/ and cli/ face the user.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const source = fileURLToPath(new URL('.', import.meta.url));

/** What each folder may import besides itself, libraries and what is for everybody. */
const arrows: Readonly<Record<string, readonly string[] | 'everything'>> = {
  pod: [],
  manifest: ['pod'],
  devices: ['pod'],
  // Specifications of devices are YAML, and read as manifests are.
  host: ['pod', 'devices', 'manifest'],
  runtime: ['pod'],
  agent: ['pod', 'devices', 'host', 'runtime'],
  timeline: ['pod'],
  api: ['pod', 'manifest'],
  // It measures the naive way, too: the same calls to containerd, made by hand.
  bench: ['pod', 'manifest', 'host', 'runtime', 'agent', 'api'],
  // It looks at the machine from every side.
  doctor: ['pod', 'devices', 'host', 'runtime', 'api'],
  rehearse: ['pod', 'devices', 'manifest', 'api'],
  cli: 'everything',
  '': 'everything',
};

/** Types alone tie nothing together at run time: the agent fulfils the API's interface. */
const typeArrows: ReadonlySet<string> = new Set(['agent/ -> api/backend.ts']);

/** The folder that only tests may use. */
const forTests = 'testing';
const forEverybody: ReadonlySet<string> = new Set([
  'errors.ts',
  'log.ts',
  'timers.ts',
  'unless-aborted.ts',
]);

interface Import {
  readonly file: string;
  /** A path below src for our own files, a module's name otherwise. */
  readonly target: string;
  readonly isOurs: boolean;
  readonly isType: boolean;
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.split(sep).join('/'));

const imports = files.flatMap(importsIn);

test('there is something to check', (t) => {
  t.true(imports.length > 100);
  t.true(imports.some(({ isType }) => isType));
  for (const folder of new Set(files.map(folderOf))) {
    t.true(folder === forTests || folder in arrows, `${folder}/ has no row in the table`);
  }
});

test('pod/ is pure: it imports nothing outside itself, not even node:*', (t) => {
  const outside = imports.filter(
    ({ file, target, isOurs }) =>
      folderOf(file) === 'pod' && !isTest(file) && (!isOurs || folderOf(target) !== 'pod'),
  );
  t.deepEqual(outside.map(inWords), []);
});

test('every arrow between folders is one of the architecture', (t) => {
  const wrong = imports.filter((one) => one.isOurs && !isTest(one.file) && !isAllowed(one));
  t.deepEqual(wrong.map(inWords), []);
});

test('testing/ is imported by tests only', (t) => {
  const wrong = imports.filter(
    ({ file, target, isOurs }) =>
      isOurs && folderOf(target) === forTests && !isTest(file) && folderOf(file) !== forTests,
  );
  t.deepEqual(wrong.map(inWords), []);
});

test('nobody imports a test, or a file that is not there', (t) => {
  const known = new Set(files);
  const wrong = imports.filter(
    ({ target, isOurs }) => isOurs && (isTest(target) || !known.has(target)),
  );
  t.deepEqual(wrong.map(inWords), []);
});

test('only runtime/ speaks gRPC', (t) => {
  const wrong = imports.filter(
    ({ file, target }) =>
      target.startsWith('@grpc/') && !['runtime', forTests].includes(folderOf(file)),
  );
  t.deepEqual(wrong.filter(({ file }) => !isTest(file)).map(inWords), []);
});

function isAllowed({ file, target, isType }: Import): boolean {
  const [from, to] = [folderOf(file), folderOf(target)];
  if (from === to || from === forTests) return true;
  if (forEverybody.has(target)) return from !== 'pod';
  if (isType && typeArrows.has(`${from}/ -> ${target}`)) return true;
  const allowed = arrows[from] ?? [];
  return to !== forTests && (allowed === 'everything' || allowed.includes(to));
}

function importsIn(file: string): readonly Import[] {
  const text = readFileSync(join(source, file), 'utf8');
  const statements = text.matchAll(
    /^(?:import|export)\s(?<type>type\s)?[^;'"]*?\bfrom\s+'(?<from>[^']+)'|\bimport\(\s*'(?<dynamic>[^']+)'\s*\)|^import\s+'(?<bare>[^']+)'/gm,
  );
  return [...statements].map(({ groups = {} }) => {
    const name = groups['from'] ?? groups['dynamic'] ?? groups['bare'] ?? '';
    const isOurs = name.startsWith('.');
    const target = isOurs
      ? relative(source, join(source, dirname(file), name))
          .split(sep)
          .join('/')
      : name;
    return { file, target, isOurs, isType: groups['type'] !== undefined };
  });
}

function folderOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : '';
}

function isTest(file: string): boolean {
  return file.endsWith('.test.ts');
}

function inWords({ file, target, isType }: Import): string {
  return `${file} -> ${target}${isType ? ' (type)' : ''}`;
}
