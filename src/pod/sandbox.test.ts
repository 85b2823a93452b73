// A sandbox that is lost while containers still run in it: how they end, and how they come back.
import test from 'ava';
import { aContainer, aPod, aSidecar } from '../testing/builders.ts';
import type { Behaviour } from '../testing/simulated-node.ts';
import { SimulatedNode } from '../testing/simulated-node.ts';
import type { Container, Pod } from './pod.ts';

const quick: Behaviour = { runsMs: 10, code: 0 };

const onAnyFailure: Pick<Container, 'restartPolicyRules'> = {
  restartPolicyRules: [
    { action: 'RestartAllContainers', exitCodes: { operator: 'NotIn', values: [0] } },
  ],
};

type Plan = Readonly<Record<string, Behaviour>>;

/** A node on which the pod runs, and has just lost its sandbox. */
function stranded(pod: Pod, plan: Plan = {}): SimulatedNode {
  const node = new SimulatedNode(pod, { behave: (name) => plan[name] ?? {} });
  node.run({ forMs: 2_000 });
  node.story.length = 0;
  node.transcript.length = 0;
  node.killSandbox();
  return node;
}

/** What has become of its containers since, with the seconds from the first of it on. */
function told(node: SimulatedNode): string[] {
  const lines = node.transcript.flatMap((line) => {
    const [, at = '', what = ''] = /^([\d.]+) s: (.*)$/.exec(line) ?? [];
    const isTold = /^(stop (?!sandbox)|kill )|(ends with|runs in)/.test(what);
    return isTold ? [{ at: Number(at), what: what.replace(/ \(.*\)/, '') }] : [];
  });
  const from = lines[0]?.at ?? 0;
  return lines.map(({ at, what }) => `${Math.round(at - from)} s: ${what}`);
}

test('sidecars go on until the app containers of a lost sandbox have ended', (t) => {
  const pod = aPod([aSidecar('first'), aSidecar('second')], [aContainer('main')], {
    restartPolicy: 'Always',
  });
  const node = stranded(pod, { main: { termMs: 8_000 } });
  node.run();
  t.deepEqual(told(node), [
    '0 s: stop main within 30 s',
    '8 s: main of generation 0 ends with 143',
    '8 s: stop second within 22 s',
    '8 s: second of generation 0 ends with 143',
    '8 s: stop first within 22 s',
    '8 s: first of generation 0 ends with 143',
    '8 s: first runs in generation 0',
    '8 s: second runs in generation 0',
    '8 s: main runs in generation 0',
  ]);
  t.deepEqual(node.faults, []);
});

test('the window of a lost sandbox goes on counting while the agent is down', (t) => {
  const pod = aPod([aSidecar('side')], [aContainer('main')], { restartPolicy: 'Always' });
  const node = stranded(pod, { main: { ignoresTerm: true }, side: { ignoresTerm: true } });
  node.after(5_000, () => node.crashAgent(15_000));
  node.run({ forMs: 40_000 });
  t.deepEqual(told(node).slice(0, 5), [
    '0 s: stop main within 30 s',
    '20 s: stop main within 10 s',
    '30 s: stop side within 2 s',
    '30 s: main of generation 0 ends with 137',
    '32 s: side of generation 0 ends with 137',
  ]);
  t.deepEqual(node.faults, []);
});

const onFailure = { restartPolicy: 'OnFailure' } as const;

test('what ends with 0 as its sandbox is lost has not finished its work', (t) => {
  for (const inits of [[], [aContainer('setup')]]) {
    const pod = aPod(inits, [aContainer('main'), aContainer('done')], onFailure);
    const node = stranded(pod, { setup: quick, main: { termCode: 0 }, done: quick });
    node.run();
    t.deepEqual(node.living, ['main']);
    t.is(node.runtime.starts.get('done'), 1);
    t.is(node.memory.sandboxAttempt, 1);
    t.deepEqual(node.faults, []);
  }
});

test('a pod that never restarts is over when its sandbox is lost', (t) => {
  for (const [termCode, phase] of [
    [0, 'Succeeded'],
    [143, 'Failed'],
  ] as const) {
    const pod = aPod([aSidecar('side', onAnyFailure)], [aContainer('main')]);
    const node = stranded(pod, { main: { termCode } });
    t.is(node.run(), 'at rest');
    t.is(node.status.phase, phase);
    t.is(node.memory.generation, 0);
    t.deepEqual(node.faults, []);
  }
});

test('an init container that never restarts has not failed with its sandbox', (t) => {
  const setup = aContainer('setup', { restartPolicy: 'Never' });
  const pod = aPod([setup], [aContainer('main')], { restartPolicy: 'Always' });
  const node = stranded(pod, { setup: { runsMs: 60_000, code: 0 } });
  node.run();
  t.is(node.runtime.starts.get('setup'), 2);
  t.deepEqual(node.living, ['main']);
  t.deepEqual(node.faults, []);
});

test('a sidecar that is stopped with its sandbox asks for no restart of all, an app container does', (t) => {
  const done = aContainer('done', onFailure);
  const always = { restartPolicy: 'Always' } as const;
  const watched = aPod([aSidecar('side', onAnyFailure)], [done, aContainer('main')], always);
  const node = stranded(watched, { done: quick });
  node.run();
  t.is(node.memory.generation, 0);
  t.is(node.runtime.starts.get('done'), 1);
  t.deepEqual(node.living, ['side', 'main']);

  const main = aContainer('main', { restartPolicy: 'Never', ...onAnyFailure });
  const other = stranded(aPod([], [done, main], always), { done: quick });
  other.run();
  t.is(other.memory.generation, 1);
  t.is(other.runtime.starts.get('done'), 2);
  t.deepEqual([...node.faults, ...other.faults], []);
});

test('all have their grace when a sandbox is lost, also if the end of the first one restarts all', (t) => {
  const worker = (name: string) => aContainer(name, { restartPolicy: 'Never', ...onAnyFailure });
  const pod = aPod([], [worker('quick'), worker('slow')]);
  const node = stranded(pod, { slow: { termMs: 20_000 } });
  node.run();
  t.deepEqual(told(node), [
    '0 s: stop quick within 30 s',
    '0 s: stop slow within 30 s',
    '0 s: quick of generation 0 ends with 143',
    '20 s: slow of generation 0 ends with 143',
    '20 s: quick runs in generation 1',
    '20 s: slow runs in generation 1',
  ]);
  t.deepEqual(node.faults, []);
});

test('what a user asks for does not wait for the end of a lost sandbox', (t) => {
  const pod = aPod([], [aContainer('main')], { restartPolicy: 'Always' });
  const node = stranded(pod, { main: { ignoresTerm: true } });
  node.after(5_000, () => node.request({ kind: 'restart', by: 'root', at: node.now }));
  node.run();
  t.deepEqual(told(node), [
    '0 s: stop main within 30 s',
    '5 s: kill c0-main-0',
    '5 s: main of generation 0 ends with 137',
    '5 s: main runs in generation 1',
  ]);
  t.deepEqual(node.faults, []);
});
