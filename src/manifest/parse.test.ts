import test from 'ava';
import { faultsOf } from '../testing/manifests.ts';
import { ManifestError } from './manifest-error.ts';
import { parseDocuments } from './parse.ts';

const valueOf = (text: string): unknown => parseDocuments(text, 'f.yaml')[0]?.value;

const read: Readonly<Record<string, readonly [string, unknown]>> = {
  'words for booleans are booleans, as kubectl has it': [
    '[yes, No, on, OFF, y, true]',
    [true, false, true, false, true, true],
  ],
  'quoted words are text': [`["yes", 'on']`, ['yes', 'on']],
  'numbers may be octal, hexadecimal or grouped': [
    '[0644, 0x1f, 1_000, 1e3]',
    [420, 31, 1000, 1000],
  ],
  'times and dates are text': ['[1:30, 22:22:22, 2026-01-31]', ['1:30', '22:22:22', '2026-01-31']],
  'keys are text': ['{8080: a, yes: b, null: c}', { 8080: 'a', yes: 'b', null: 'c' }],
  'nothing is null': ['{a: , b: ~, c: null}', { a: null, b: null, c: null }],
  'merge keys merge': [
    'base: &b {x: 1, y: 2}\nall: {<<: *b, y: 3}\n',
    { base: { x: 1, y: 2 }, all: { x: 1, y: 3 } },
  ],
  'an anchor may be set again': [
    'a: &a [&a x, *a]\nb: *a\nc: &a [z]\nd: *a\n',
    { a: ['x', 'x'], b: 'x', c: ['z'], d: ['z'] },
  ],
  'aliases repeat': ['a: &a [1]\nb: *a\n', { a: [1], b: [1] }],
  'JSON is YAML, tabs and all': [
    '{\n\t"a": "\\u00e4\\/",\n\t"b": [true, null]\n}',
    { a: 'ä/', b: [true, null] },
  ],
  'a mark of byte order is passed over': ['\ufeffa: 1', { a: 1 }],
  'keys of every object are keys like others': [
    '{constructor: 1, toString: 2}',
    { constructor: 1, toString: 2 },
  ],
};

for (const [title, [text, value]] of Object.entries(read)) {
  test(title, (t) => t.deepEqual(valueOf(text), value));
}

test('a file has many documents; empty ones are passed over', (t) => {
  const documents = parseDocuments('---\n# nothing\n---\na: 1\n---\n---\nb: 2\n...\n', 'f.yaml');
  t.deepEqual(
    documents.map(({ value, lineOf }) => [value, lineOf([])]),
    [
      [{ a: 1 }, 4],
      [{ b: 2 }, 7],
    ],
  );
});

/** What goyaml takes for text, and for numbers, where nothing is in quotes. */
const texts: readonly string[] = [
  ...['.', '-.', '+.', '._', '.e5', '.e', '._1', '.1_', '.1__0', 'e1', 'E5', '-e1', '+e2', 'e12'],
  ...['0x', '0x_', '0b', '0b_', '0o', '-0x', '0b2', '0o8', '0xg', '1e', '1.5e', '1.2.3', '0.0.0.0'],
  ...['+', '_1', '1:30', '190:20:30', '2001-01-01', '2001-01-01T00:00:00Z', '5d41402a', '--1'],
  ...['1E400', '9'.repeat(400), '0x10000000000000000', `0b${'1'.repeat(65)}`, '.Inf_', '+.nan'],
  ...['tRUE', 'yES', '=', 'nUll', '1,000', '12e', '0x1.8p1', 'Infinity', 'NaN', '1_000_x'],
];
const numbers: Readonly<Record<string, number>> = {
  '.5': 0.5,
  '-.5': -0.5,
  '+.5e1': 5,
  '.1_0': 0.1,
  '5.': 5,
  '1e3': 1000,
  '1E+3': 1000,
  '-1e-3': -0.001,
  '1_': 1,
  '1__0': 10,
  '1_000.5': 1000.5,
  '-_1': -1,
  '08': 8,
  '0': 0,
  '-0': 0,
  '0_': 0,
  '0644': 420,
  '0o644': 420,
  '0O7': 7,
  '0x1F': 31,
  '0X1f': 31,
  '-0x1': -1,
  '0b11': 3,
  '0B1': 1,
  '+0b1': 1,
  '0xffffffffffffffff': 2 ** 64,
  '18446744073709551616': 2 ** 64,
  '1e1_0': 1e10,
};

test('text, though it looks like a number', (t) => {
  for (const text of texts) t.deepEqual(valueOf(`a: ${text}`), { a: text });
});

test('numbers', (t) => {
  for (const [text, number] of Object.entries(numbers)) {
    t.deepEqual(valueOf(`a: ${text}`), { a: number }, text);
  }
});

test('tags say what a text is to be', (t) => {
  t.deepEqual(
    valueOf('[!!float 3, !!float "1e3", !!int "0x1f", !!str 1, !!null "", !!bool "on"]'),
    [...[3, 1000, 31, '1', null, true]],
  );
  for (const text of ['!!int 1.5', '!!int e1', '!!float .', '!!null 3', '!!bool 1']) {
    t.is(faultsOf(() => parseDocuments(text, 'f')).length, 1, text);
  }
});

const manyDocuments: Readonly<Record<string, readonly [string, readonly unknown[]]>> = {
  'a mark of byte order at the head of a later document': [
    'a: 1\n---\n\ufeffb: 2\n---\r\n\ufeff{"c": "\ufeff"}\n',
    [
      [{ a: 1 }, 1],
      [{ b: 2 }, 3],
      [{ c: '\ufeff' }, 5],
    ],
  ],
  'a directive changes nothing about scalars': [
    '%YAML 1.2\n---\na: [yes, 010]\n---\nb: &b {x: off}\nc: {<<: *b}\n',
    [
      [{ a: [true, 8] }, 3],
      [{ b: { x: false }, c: { x: false } }, 5],
    ],
  ],
  'JSON objects one after another': [
    '{\n"a": "} {\\""\n}\n{"b": {"c": [{}]}} {"d": 1}\n\n{"e": 2}\n',
    [
      [{ a: '} {"' }, 1],
      [{ b: { c: [{}] } }, 4],
      [{ d: 1 }, 4],
      [{ e: 2 }, 6],
    ],
  ],
  'braces in what is YAML and no JSON': [
    "{a: '} {', b: '\"'}\n---\n{a: 1}\n",
    [
      [{ a: '} {', b: '"' }, 1],
      [{ a: 1 }, 3],
    ],
  ],
};

for (const [title, [text, documents]] of Object.entries(manyDocuments)) {
  test(title, (t) => {
    t.deepEqual(
      parseDocuments(text, 'f').map(({ value, lineOf }) => [value, lineOf([])]),
      documents as [unknown, number][],
    );
  });
}

test('the second of two JSON objects is told of with its own line', (t) => {
  const error = t.throws(() => parseDocuments('{\n"a": 1}\n{\n"b": 1,\n"b": 2}', 'f'), {
    instanceOf: ManifestError,
  });
  t.is(error.where, 'f:5');
});

const lined = `# comment
spec:
  containers:
  - name: a
    command:
    - one
    - two
  - &b
    name: b
    env: {x: 1,
      y: 2}
  - *b
  - <<: *b
    name: c
  - {<<: [{p: 1}, *b]}
`;
const lines: Readonly<Record<string, readonly [(string | number)[], number]>> = {
  'the document starts at its first key': [[], 2],
  'a key': [['spec', 'containers'], 3],
  'an item of a list': [['spec', 'containers', 0], 4],
  'an item of a list within': [['spec', 'containers', 0, 'command', 1], 7],
  'what is not there has the line of what it is missing in': [
    ['spec', 'containers', 0, 'image'],
    4,
  ],
  'a key in braces': [['spec', 'containers', 1, 'env', 'y'], 11],
  'through an alias': [['spec', 'containers', 2, 'env', 'y'], 11],
  'beside a merge key': [['spec', 'containers', 3, 'name'], 14],
  'through a merge key': [['spec', 'containers', 3, 'env'], 10],
  'through a list of merges': [['spec', 'containers', 4, 'env', 'x'], 10],
  'beyond the end of a list': [['spec', 'containers', 99, 'x'], 3],
};

for (const [title, [path, line]] of Object.entries(lines)) {
  test(`lines: ${title}`, (t) => t.is(parseDocuments(lined, 'f')[0]?.lineOf(path), line));
}

const bomb = [
  'a0: &a0 [x, x]',
  ...Array.from(
    { length: 30 },
    (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(',')}]`,
  ),
].join('\n');
const merging = [
  'a0: &a0 {k: 1}',
  ...Array.from(
    { length: 30 },
    (_, i) => `a${i + 1}: &a${i + 1} {<<: [${Array(9).fill(`*a${i}`).join(',')}]}`,
  ),
].join('\n');
const keys = Array.from({ length: 400 }, (_, i) => `k${i}: 1`).join(',');
const mebibyte = 1024 * 1024;

/** Text, the line of the first fault, how it begins. */
const refused: Readonly<Record<string, readonly [string, number | undefined, string]>> = {
  'a bracket that is open': ['a: [1,\nb: 2\n', 2, 'the YAML cannot be read: '],
  'a tab for indentation': ['a:\n\tb: 1\n', 2, 'the YAML cannot be read: Tabs'],
  'a key twice': ['a:\n  b: 1\n  c: 2\n  b: 3\n', 4, 'the key "b" is there twice in the same map'],
  'a key that is a list': ['? [a]\n: 1', 1, 'the YAML cannot be read: With stringKeys'],
  'an unknown tag': ['a: !python/object x', 1, 'the YAML cannot be read: Unresolved tag'],
  'binary data': ['a: !!binary aGk=', 1, 'the YAML cannot be read: Unresolved tag'],
  'a key that is an alias': ['{a: &k b, *k : c}', 1, 'the YAML cannot be read: With stringKeys'],
  'an alias of nothing': ['a: *b', 1, 'the YAML cannot be read: Unresolved alias'],
  'a merge of nothing': ['a: 1\n<<: ', 1, 'the YAML cannot be read: Merge sources'],
  'a way to the prototype': ['a:\n  __proto__: {b: 1}', 2, 'the key "__proto__" is not allowed'],
  'a way to the prototype, merged': [
    'a: &a {"__proto__": {b: 1}}\nb: {<<: *a}',
    1,
    'the key "__proto__"',
  ],
  'a NUL': ['a: 1\nb: x\0y', 2, 'the manifest holds a control character (\\u0000)'],
  'a NUL as an escape': ['a: 1\nb: "x\\0y"', 2, 'the text "x\\u0000y" holds a NUL character'],
  'a NUL in a list': ['a: [{b: ["x\\0"]}]', 1, 'the text "x\\u0000" holds a NUL character'],
  'a NUL in a key': ['a: 1\n"b\\x00": 1', 2, 'the text "b\\u0000" holds a NUL character'],
  'an escape character': ['a: \u001b[2J', 1, 'the manifest holds a control character (\\u001b)'],
  'half a character': ['a: "\\ud800"', 1, 'the text "\\ud800" is not valid Unicode'],
  'what is not a number': ['a: .nan', 1, 'NaN is not a number that a manifest can hold'],
  'a number without end': ['a: .inf', 1, 'Infinity is not a number'],
  'a list within itself': ['a: &a [*a]', 1, 'the aliases of the manifest multiply'],
  'a map merged into itself': ['a: &a {<<: *a}', 1, 'the aliases of the manifest multiply'],
  'aliases that multiply': [bomb, 1, 'the aliases of the manifest multiply into too much data'],
  'merges that multiply': [merging, 1, 'the aliases of the manifest multiply into too much data'],
  'an alias of much data': [
    `a: &a [${'x,'.repeat(50_000)}]\nb: [${'*a,'.repeat(900)}]`,
    1,
    'the aliases of the manifest multiply into too much data',
  ],
  'many aliases of some data': [
    `a: &a [${'{x: 1},'.repeat(400)}]\nb: [${'*a,'.repeat(400)}]`,
    1,
    'the aliases of the manifest multiply into too much data',
  ],
  'many merges of some keys': [
    `a: &a {${keys}}\nb: [${'{<<: *a},'.repeat(400)}]`,
    1,
    'the aliases of the manifest multiply into too much data',
  ],
  'many aliases of a long text': [
    `a: &a ${'x'.repeat(30_000)}\nb: [${'*a,'.repeat(400)}]`,
    1,
    'the aliases of the manifest multiply into too much data',
  ],
  'many aliases of a long key': [
    `a: &a {"${'x'.repeat(1000)}": 1}\nb: &b [*a,*a,*a,*a]\nc: [${'*b,'.repeat(3000)}]`,
    1,
    'the aliases of the manifest multiply into too much data',
  ],
  'an alias within what it stands for': [
    'a: &a {b: &b [{c: *a}]}',
    1,
    'the aliases of the manifest multiply',
  ],
  'many anchors': ['- &a x\n'.repeat(5001), undefined, 'the manifest has more than 5000 anchors'],
  'deep nesting in brackets': [
    '['.repeat(500_000),
    1,
    'the manifest is nested more than 100 levels',
  ],
  'deep nesting in dashes': ['- '.repeat(5000), 1, 'the manifest is nested more than 100 levels'],
  'many small parts': [
    '- a\n'.repeat(2_000_000),
    undefined,
    'the manifest has more than 1500000 parts',
  ],
  'many documents': [
    '---\na\n'.repeat(1001),
    undefined,
    'the manifest has more than 1000 documents',
  ],
  'more than 10 MiB': [
    'x'.repeat(10 * mebibyte + 1),
    undefined,
    'the manifest is larger than 10 MiB',
  ],
  'more than 10 MiB of wide characters': [
    'ä'.repeat(5 * mebibyte + 1),
    undefined,
    'the manifest is larger',
  ],
};

for (const [title, [text, line, start]] of Object.entries(refused)) {
  test(`refused: ${title}`, (t) => {
    const error = t.throws(() => parseDocuments(text, 'f.yaml'), { instanceOf: ManifestError });
    const [first] = error.faults;
    t.is(first?.message.slice(0, start.length), start);
    t.is(first?.line, line);
  });
}

test('a thousand uses of what an honest manifest shares are read', (t) => {
  const text = `a: &a {b: [c, d, e], f: ${'x'.repeat(1000)}}\ng: [${'*a,'.repeat(2000)}]\nh: [${'{<<: *a},'.repeat(2000)}]`;
  const value = valueOf(text) as { g: unknown[]; h: unknown[] };
  t.deepEqual([value.g.length, value.h.length], [2000, 2000]);
  t.deepEqual(value.g[1999], value.h[1999]);
});

const unfit: Readonly<Record<string, string>> = {
  'a: {b: [1, .nan]}': 'a.b[1]',
  'a: {b: -.inf}': 'a.b',
  'a: [x, {b c: "\\0"}]': 'a[1]["b c"]',
  'a: {"\\0": 1}': 'a["\\u0000"]',
  'a: {b: "\\ud800"}': 'a.b',
};

test('what no manifest can hold is told with its place', (t) => {
  for (const [text, path] of Object.entries(unfit)) {
    const error = t.throws(() => parseDocuments(text, 'f'), { instanceOf: ManifestError });
    t.is(error.where, `f:1, ${path}`);
  }
});

test('a text of 10 MiB is read', (t) => {
  const text = `a: ${'x'.repeat(10 * mebibyte - 3)}`;
  t.deepEqual(valueOf(text), { a: text.slice(3) });
});

test('a map with very many keys is read, and a repeated one is found', (t) => {
  const keys = Array.from({ length: 100_000 }, (_, i) => `k${i}: 1\n`).join('');
  t.deepEqual(
    faultsOf(() => parseDocuments(keys, 'f.yaml')),
    [],
  );
  t.deepEqual(
    faultsOf(() => parseDocuments(`${keys}k7: 1\n`, 'f.yaml')),
    [': the key "k7" is there twice in the same map'],
  );
});

test('reading changes nothing outside', (t) => {
  faultsOf(() => parseDocuments('{"__proto__": {"polluted": true}}', 'f.yaml'));
  faultsOf(() => parseDocuments('constructor: {prototype: {polluted: true}}', 'f.yaml'));
  t.false('polluted' in {});
});
