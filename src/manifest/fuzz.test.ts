// Whatever comes in, it ends soon: with a pod, or with a ManifestError.
import test from 'ava';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { aManifest } from '../testing/manifests.ts';
import { ManifestError } from './manifest-error.ts';
import { podFromManifest, podFromValue } from './parse-pod.ts';
import type { Validated } from './validate.ts';
import { podSchema } from './schema/pod.ts';
import { fieldsOf } from './schema/walk.ts';

const runs = { numRuns: 300 };

/** What every object has, and the reader must not take for data. */
const inherited = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'valueOf'] as const;

/** The pod, or undefined for a ManifestError that is in order; everything else is thrown. */
function judged(judge: () => Validated): Validated | undefined {
  try {
    return judge();
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    if (error.faults.length === 0 || error.message === '')
      throw new Error('an error without fault');
    if (error.faults.some(({ hint }) => hint === '')) throw new Error('a fault without a hint');
    return undefined;
  }
}

/** Names of all fields there are, wherever they belong. */
const names = namesIn(podSchema);

function namesIn(type: Parameters<typeof fieldsOf>[0]): readonly string[] {
  return fieldsOf(type).flatMap((field) => [field.name, ...namesIn(field.type)]);
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    '',
    '..',
    '../../x',
    '/',
    'a\0b',
    ...inherited,
    '$(X)',
    '\u001b[2J',
    'ü',
    '-1',
    '1Gi',
    'main',
    'busybox:1',
    'Always',
    'Memory',
    'x'.repeat(300),
  ),
);
const key = fc.oneof(fc.constantFrom(...names), fc.constantFrom(...inherited, ''), text);
const anything = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    fc.oneof(
      text,
      fc.double(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.constant(undefined),
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 6 }),
  ),
})).value;

test('any text', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (input) => {
      judged(() => podFromManifest(input, 'f'));
    }),
    runs,
  );
  t.pass();
});

const fragments = fc.constantFrom(
  ...[
    '- ',
    ': ',
    '&a ',
    '*a',
    '<<: ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '|\n',
    '>\n',
    '\n',
    '  ',
    '\t',
    '# ',
    '---\n',
    '...\n',
    '!!str ',
    '!x ',
    '%YAML 1.2\n',
    '? ',
    ',',
    '~',
    '\r\n',
    '\\',
    'apiVersion: v1\nkind: Pod\n',
  ],
  ...names,
  ...inherited,
);

test('any text made of pieces of YAML', (t) => {
  fc.assert(
    fc.property(fc.array(fragments, { maxLength: 60 }), (pieces) => {
      judged(() => podFromManifest(pieces.join(''), 'f'));
    }),
    runs,
  );
  t.pass();
});

test('any value', (t) => {
  fc.assert(
    fc.property(anything, (value) => {
      judged(() => podFromValue(value, 'f'));
    }),
    runs,
  );
  t.pass();
});

test('any value at any place of a pod', (t) => {
  const additions = fc.record(
    {
      metadata: fc.dictionary(
        fc.constantFrom('name', 'uid', 'labels', 'annotations', 'namespace'),
        anything,
        { maxKeys: 2 },
      ),
      spec: fc.dictionary(key, anything, { maxKeys: 3 }),
      container: fc.dictionary(key, anything, { maxKeys: 3 }),
      init: fc.dictionary(key, anything, { maxKeys: 2 }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(additions, (given) => {
      judged(() => podFromValue(aManifest(given), 'f'));
    }),
    runs,
  );
  t.pass();
});

const name = fc.oneof(fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/), fc.constant('constructor'));
const someContainers = fc.uniqueArray(
  fc.record({
    name,
    image: fc.constantFrom('a', 'b:1', 'c@sha256:00'),
    command: fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 8 }), { maxLength: 3 }),
    env: fc.array(
      fc.record({
        name: fc.oneof(fc.stringMatching(/^[A-Z_]{1,5}$/), fc.constantFrom(...inherited)),
        value: fc.string({ unit: 'grapheme', maxLength: 8 }),
      }),
      { maxLength: 3 },
    ),
    restartPolicy: fc.constantFrom('Always', 'OnFailure', 'Never'),
    restartPolicyRules: fc.array(
      fc.record({
        action: fc.constantFrom('Restart', 'RestartAllContainers'),
        exitCodes: fc.record({
          operator: fc.constantFrom('In', 'NotIn'),
          values: fc.array(fc.integer()),
        }),
      }),
      { maxLength: 3 },
    ),
  }),
  { selector: (each) => each.name, minLength: 1, maxLength: 5 },
);

test('a valid pod is accepted, and says the same as text, as JSON and as a value', (t) => {
  fc.assert(
    fc.property(someContainers, (containers) => {
      const manifest = aManifest({ spec: { containers } });
      const pod = judged(() => podFromValue(manifest, 'f'))?.pod;
      if (pod === undefined) throw new Error('a valid pod is refused');
      // Quoted as a careful author does, since kubectl takes "on" without quotes for a boolean.
      const yaml = stringify(manifest, { version: '1.1' });
      for (const input of [yaml, JSON.stringify(manifest)]) {
        t.deepEqual(judged(() => podFromManifest(input, 'f'))?.pod, pod);
      }
    }),
    runs,
  );
});
