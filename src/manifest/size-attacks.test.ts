// Sizes that no honest manifest has, up to what a file may have: each ends with a pod or with a
// ManifestError. That it ends at all is what is tested: a time or an amount of memory that grows
// faster than the text runs into the time limit of the tests, or out of memory.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { maxManifestBytes } from './limits.ts';

const head = 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n';
const main = '  containers:\n  - name: main\n    image: i\n';
const pod = (more: string): string => `${head}${main}${more}`;
const many = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('');
const nearly = (character: string): string => character.repeat(maxManifestBytes - 1000);
const annotated = (annotations: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations: ${annotations}\nspec:\n${main}`;
const backoff = (text: string): string => annotated(`{reprise.dev/in-place-backoff: "${text}"}`);
const sharing = (containers: number, variables: number, variable: string): string =>
  `${pod(`    env: &a [${`${variable},`.repeat(variables)}]\n`)}${many(
    containers,
    (i) => `  - {name: c${i}, image: i, env: *a}\n`,
  )}`;

/** A text, and what is said of it; undefined for what is accepted. */
const attacks: Readonly<Record<string, readonly [text: () => string, says: RegExp | undefined]>> = {
  'a quantity of a million digits': [
    () => pod(`    resources: {limits: {memory: "${'1'.repeat(1_000_000)}x"}}\n`),
    /must have at most 100 characters/,
  ],
  'a number of nearly 10 MiB': [
    () => `${head}  activeDeadlineSeconds: ${nearly('1')}\n${main}`,
    /must be a number/,
  ],
  'a number with many underscores': [
    () => `${head}  activeDeadlineSeconds: ${'1_'.repeat(500_000)}x\n${main}`,
    /must be a number/,
  ],
  'a duration of a million units': [() => backoff('1s'.repeat(1_000_000)), /must be a duration/],
  'a duration without end': [() => backoff(`${'9'.repeat(400)}h`), /must be a duration/],
  'a long text behind many aliases': [
    () =>
      pod(
        `    env:\n    - {name: A, value: &a "${'x'.repeat(1_000_000)}"}\n${many(
          900,
          (i) => `    - {name: B${i}, value: *a}\n`,
        )}`,
      ),
    /aliases of the manifest multiply/,
  ],
  'a long text behind aliases, one list of faults beside it': [
    () =>
      pod(
        `    env:\n    - {name: A, value: &a "${'x'.repeat(10_000)}"}\n${many(
          900,
          (i) => `    - {name: B${i}, value: *a, x: 1}\n`,
        )}`,
      ),
    /^f has 900 faults/,
  ],
  'an annotation of nearly 10 MiB': [() => annotated(`{a: "${nearly('x')}"}`), /^Too long/],
  'more faults in a list than a call has arguments': [
    () => pod(`    env: [${'1,'.repeat(150_000)}]\n`),
    /^f has 150000 faults\n[^]*\n\.\.\. and 149800 more$/,
  ],
  'many unknown fields': [() => pod(many(20_000, (i) => `    x${i}:\n`)), /^f has 20000 faults/],
  'many faulty labels': [
    () =>
      `apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels: {${many(
        10_000,
        (i) => `-${i},`,
      )}}\nspec:\n${main}`,
    /^f has 10000 faults/,
  ],
  'many documents of many faults': [
    () => `${pod(`    env: [${'1,'.repeat(1500)}]\n`)}---\n`.repeat(20),
    /^f has 30000 faults/,
  ],
  'many faults behind an alias': [() => sharing(299, 300, '1'), /^f has 90000 faults/],
  '300 containers that share 300 faulty variables': [
    () => sharing(300, 300, '{x: 1}'),
    /aliases of the manifest multiply/,
  ],
  '900 containers that share 900 faulty variables': [
    () => sharing(900, 900, '{x: 1}'),
    /aliases of the manifest multiply/,
  ],
  '900 containers that share 900 sound variables': [
    () => sharing(900, 900, '{name: x}'),
    /aliases of the manifest multiply/,
  ],
  'merges of many keys': [
    () => `a: &a {${many(900, (i) => `k${i}: 1,`)}}\nb: [${many(900, () => '{<<: *a},')}]\n`,
    /aliases of the manifest multiply/,
  ],
  'files in very deep folders': [
    () =>
      `${head}  volumes:\n  - name: v\n    configMap: {name: a, items: [${many(
        200,
        (i) => `{key: a, path: "${i}${'/a'.repeat(2000)}"},`,
      )}]}\n${main}`,
    undefined,
  ],
  'mounts of volumes that are not there': [
    () =>
      `${head}  volumes:\n${many(3000, (i) => `  - {name: v${i}}\n`)}${main}    volumeMounts:\n${many(
        3000,
        (i) => `    - {name: w${i}, mountPath: /m${i}}\n`,
      )}`,
    /^f has 3000 faults/,
  ],
  'files of variables among many volumes': [
    () =>
      `${head}  volumes:\n${many(3000, (i) => `  - {name: v${i}}\n`)}${main}    env:\n${many(
        3000,
        (i) => `    - {name: A, valueFrom: {fileKeyRef: {volumeName: v${i}, path: a, key: b}}}\n`,
      )}`,
    undefined,
  ],
};

interface Told {
  readonly message?: string;
  readonly name?: string;
}

/** Judges where memory has an end: running out of it is an error of the worker. */
const judge = new Worker(
  `const { parentPort, workerData } = require('node:worker_threads');
  const loaded = import(workerData);
  parentPort.on('message', async (text) => {
    const { partsOfManifest } = await loaded;
    try {
      partsOfManifest(text, 'f');
      parentPort.postMessage({});
    } catch ({ name, message }) {
      parentPort.postMessage({ name, message });
    }
  });`,
  {
    eval: true,
    workerData: new URL('parse-pod.ts', import.meta.url).href,
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  },
);

async function told(text: string): Promise<Told> {
  judge.postMessage(text);
  const [answer] = (await once(judge, 'message')) as [Told];
  return answer;
}

test.after.always(() => judge.terminate());

for (const [title, [text, says]] of Object.entries(attacks)) {
  test.serial(title, async (t) => {
    const { name, message } = await told(text());
    t.is(name, says && 'ManifestError', message);
    if (says !== undefined) t.regex(message ?? '', says);
  });
}
