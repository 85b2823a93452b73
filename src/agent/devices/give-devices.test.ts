// What a container that was made some time ago has to show before it is started.
import test from 'ava';
import { messageOf } from '../../errors.ts';
import type { Cri } from '../../runtime/cri.ts';
import { devicesAnnotation } from '../../runtime/devices.ts';
import { aContainer, aPod } from '../../testing/builders.ts';
import { hasSameDevices } from './give-devices.ts';

interface Made {
  /** What this agent has seen it made with; absent: nothing. */
  readonly seen?: string;
  /** What it says itself. */
  readonly annotated?: string;
  /** Paths of devices that containerd has put into it. */
  readonly injected?: readonly string[];
}

/** A container that is to have /dev/gpu by CDI, now numbered `c 1:2`. */
async function look({ seen, annotated, injected = [] }: Made) {
  const calls: string[] = [];
  const cri = {
    containerStatus: () => {
      calls.push('status');
      const annotations = annotated === undefined ? {} : { [devicesAnnotation]: annotated };
      return Promise.resolve({ annotations });
    },
    containerInfo: () => {
      calls.push('info');
      const devices = injected.map((path) => ({ path }));
      return Promise.resolve({ runtimeSpec: { linux: { devices } } });
    },
    removeContainer: () => {
      calls.push('remove');
      return Promise.resolve();
    },
  } as unknown as Cri;
  const keeper = {
    knows: () => true,
    mayHave: () => true,
    summaryOf: () => Promise.resolve('/dev/gpu c 1:2'),
    cdiPathsOf: () => ['/dev/gpu'],
  };
  const devices = { keeper, madeWith: new Map(seen === undefined ? [] : [['c1', seen]]) };
  const means = { cri, devices } as unknown as Parameters<typeof hasSameDevices>[0];
  const { signal } = new AbortController();
  const occasion = { pod: aPod([], [aContainer('main')]), signal };
  const answer = hasSameDevices(means, { id: 'c1', name: 'main' }, occasion);
  return [await answer.catch(messageOf), calls.join(' ')];
}

const cases: readonly (readonly [what: string, made: Made, answer: unknown, calls: string])[] = [
  ['made by this agent: nobody is asked', { seen: '/dev/gpu c 1:2' }, true, ''],
  ['with a number of before', { seen: '/dev/gpu c 1:1' }, false, ''],
  [
    'made by an earlier one',
    { annotated: '/dev/gpu c 1:2', injected: ['/dev/gpu'] },
    true,
    'status info',
  ],
  ['by an earlier one, with a number of before', { annotated: '/dev/gpu c 1:1' }, false, 'status'],
  [
    'by an earlier one that did not see containerd pass over its device',
    { annotated: '/dev/gpu c 1:2' },
    'containerd has created the container without its device /dev/gpu',
    'status info remove',
  ],
];

for (const [what, made, answer, calls] of cases) {
  test(`what was made ahead: ${what}`, async (t) => {
    t.deepEqual(await look(made), [answer, calls]);
  });
}
