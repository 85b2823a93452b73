import test from 'ava';
import { aContainer, aPod, anInstance } from '../testing/builders.ts';
import { aNode } from '../testing/node.ts';
import type { Loan } from '../pod/loan.ts';
import type { Memory } from '../pod/memory.ts';
import { blankMemory } from '../pod/memory.ts';
import { EPHEMERAL_GENERATION } from '../pod/instances.ts';
import { startContainer, surroundingsOf } from './start-container.ts';

const pod = aPod([], [aContainer('main')]);
const loan = { volumes: {} } as Loan;

async function hash(more: Parameters<typeof aNode>[0]): Promise<string> {
  return (await surroundingsOf(pod, aContainer('main'), loan, aNode(more))).hash;
}

test('what is said of the node is a part of what a container was made from, its addresses are not', async (t) => {
  const usual = await hash({});
  t.is(await hash({}), usual);
  t.not(await hash({ name: 'other' }), usual);
  t.not(await hash({ cpus: 77 }), usual);
  t.is(await hash({ hostIPs: ['192.0.2.77'] }), usual);
});

/** What is asked of the runtime to start a container of a generation, when its turn has come. */
async function callsFor(generation: number, memory: Partial<Memory>): Promise<string> {
  const calls: string[] = [];
  const note = (call: string) => () => {
    calls.push(call);
    return Promise.resolve();
  };
  const means = {
    cri: { startContainer: note('start'), removeContainer: note('remove') },
    devices: { keeper: { knows: () => false }, madeWith: new Map() },
    outOfMemory: { willStart: () => undefined },
  } as unknown as Parameters<typeof startContainer>[0];
  const { signal } = new AbortController();
  const observed = { instances: [anInstance({ id: 'c1', name: 'gone', generation })] };
  const latest = () => ({ observed, memory: { ...blankMemory, generation: 1, ...memory } });
  const occasion = { pod, latest, signal } as unknown as Parameters<typeof startContainer>[2];
  // Of no container in the manifest, so that there is nothing else to look at.
  const action = { kind: 'start-container', id: 'c1', name: 'gone' } as const;
  const { kind } = await startContainer(means, action, occasion);
  return `${calls.join(' ')}: ${kind}`;
}

const ending = { cause: 'deleted', at: 0, graceSeconds: 0, force: false } as const;
const turns: readonly (readonly [
  what: string,
  generation: number,
  memory: Partial<Memory>,
  is: string,
])[] = [
  ['of the present run', 1, {}, 'start: done'],
  ['of the run before', 0, {}, 'remove: outdated'],
  ['of a pod that ends', 1, { ending }, 'remove: outdated'],
  ['beside all runs', EPHEMERAL_GENERATION, {}, 'start: done'],
];
for (const [what, generation, memory, is] of turns) {
  test(`a start whose turn has come: ${what}`, async (t) => {
    t.is(await callsFor(generation, memory), is);
  });
}
