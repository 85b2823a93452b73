import test from 'ava';
import { blankMemory } from './memory.ts';
import type { PodSpec } from './pod.ts';
import { gatesOf, readyWithGates, withGates } from './readiness-gates.ts';
import type { GateCondition } from './readiness-gates.ts';

const yes: GateCondition = { status: 'True' };
const no: GateCondition = { status: 'False', reason: 'ContainersNotReady', message: 'main is not' };
const notReady = (message: string): GateCondition => ({
  status: 'False',
  reason: 'ReadinessGatesNotReady',
  message,
});

function gated(...types: readonly string[]): Pick<PodSpec, 'readinessGates'> {
  return { readinessGates: types.map((conditionType) => ({ conditionType })) };
}

type Case = [
  gates: readonly string[],
  given: Record<string, GateCondition>,
  containersReady: GateCondition,
  expected: GateCondition,
];
const cases: Record<string, Case> = {
  'without gates the containers decide': [[], { warm: { status: 'False' } }, yes, yes],
  'nothing has been set': [
    ['warm'],
    {},
    yes,
    notReady('corresponding condition of pod readiness gate "warm" does not exist.'),
  ],
  'nothing has been set under the name of what all objects have': [
    ['constructor'],
    {},
    yes,
    notReady('corresponding condition of pod readiness gate "constructor" does not exist.'),
  ],
  'all are True': [['warm', 'example.org/fed'], { warm: yes, 'example.org/fed': yes }, yes, yes],
  'one is False, one is Unknown': [
    ['warm', 'fed', 'clean'],
    { warm: yes, fed: { status: 'False' }, clean: { status: 'Unknown' } },
    yes,
    notReady(
      'the status of pod readiness gate "fed" is not "True", but False, ' +
        'the status of pod readiness gate "clean" is not "True", but Unknown',
    ),
  ],
  'containers come first': [['warm'], {}, no, no],
  'a condition of our own can be a gate': [['PodScheduled'], {}, yes, yes],
  'that it is Ready can hold a pod back for ever': [
    ['Ready'],
    {},
    yes,
    notReady('corresponding condition of pod readiness gate "Ready" does not exist.'),
  ],
};
for (const [what, [types, given, containersReady, expected]] of Object.entries(cases)) {
  test(what, (t) => {
    const memory = withGates(blankMemory, given, 5);
    const found = { PodScheduled: yes, ContainersReady: containersReady };
    t.deepEqual(readyWithGates(gated(...types), memory, containersReady, found), expected);
  });
}

test('a condition has its time from the last change of its status', (t) => {
  const first = withGates(blankMemory, { warm: { status: 'False', reason: 'Cold' } }, 1);
  t.deepEqual(first.gates, { warm: { status: 'False', reason: 'Cold', since: 1 } });
  const second = withGates(first, { warm: { status: 'False', reason: 'Tepid' } }, 2);
  t.deepEqual(second.gates, { warm: { status: 'False', reason: 'Tepid', since: 1 } });
  t.deepEqual(withGates(second, { warm: yes }, 3).gates, { warm: { status: 'True', since: 3 } });
  const both = withGates(second, { fed: yes }, 3);
  t.deepEqual(Object.keys(both.gates ?? {}), ['warm', 'fed'], 'what is not named stays');
  t.deepEqual(withGates(both, { warm: undefined }, 4).gates, { fed: { status: 'True', since: 3 } });
});

test('what can be set is what the spec names, once, and none of ours', (t) => {
  t.deepEqual(gatesOf(gated('warm', 'Ready', 'example.org/fed', 'warm')), [
    'warm',
    'example.org/fed',
  ]);
  t.deepEqual(gatesOf({}), []);
});
