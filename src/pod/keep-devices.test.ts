// Devices in the life of a pod: nothing begins without them, nothing starts while one is in use.
import test from 'ava';
import { referencePod } from '../testing/builders.ts';
import { inWords } from './action.ts';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import type { DeviceView } from './devices.ts';
import { blankMemory } from './memory.ts';
import type { Memory } from './memory.ts';
import type { Instance, Observed } from './observed.ts';
import { defaultSettings } from './settings.ts';
import type { Settings } from './settings.ts';
import { podStatus } from './status.ts';

const pod = referencePod();
const nothing: Observed = {
  sandboxes: [],
  instances: [],
  failures: {},
  requests: [],
  busy: false,
};
const given: DeviceView = {
  given: [{ container: 'main', resource: 'nvidia.com/gpu', id: 'nvidia.com/gpu=GPU-1' }],
};
const sick: DeviceView = {
  given: given.given.map((one) => ({ ...one, fault: 'it smokes' })),
};

function decided(
  observed: Partial<Observed>,
  memory: Partial<Memory> = {},
  settings: Partial<Settings> = {},
): Decision {
  const all = { ...defaultSettings, ...settings };
  return decide(pod, { ...nothing, ...observed }, { ...blankMemory, ...memory }, 1000, all);
}

const does = ({ actions }: Decision): readonly string[] => actions.map(inWords);

test('a pod without its devices does nothing, is not scheduled, and has not started', (t) => {
  const waits = decided({ devices: { given: [], waits: 'Insufficient nvidia.com/gpu' } });
  t.deepEqual(does(waits), []);
  t.like(waits.memory.conditions.PodScheduled, {
    status: 'False',
    reason: 'Unschedulable',
    message: 'Insufficient nvidia.com/gpu',
  });
  t.is(waits.memory.phase.phase, 'Pending');
  t.is(waits.memory.startTime, undefined);

  const goesOn = decided({ devices: given }, waits.memory);
  t.deepEqual(does(goesOn), ['lend']);
  t.is(goesOn.memory.conditions.PodScheduled?.status, 'True');
  t.is(goesOn.memory.startTime, 1000);
});

const loan = {
  logDirectory: '/l',
  messageDirectory: '/m',
  cgroupParent: '/c',
  volumes: {},
  hostsFile: '/h',
  subPaths: '/s',
};
/** Generation 0 is gone, generation 1 has not begun. */
const cleared = {
  observed: {
    loan,
    sandboxes: [{ id: 'sandbox', attempt: 0, ready: true, ips: [] }],
    instances: ['setup', 'watcher', 'main'].flatMap((name): Instance[] => [
      {
        id: `old ${name}`,
        name,
        attempt: 0,
        generation: 0,
        sandboxAttempt: 0,
        specHash: '',
        state: 'exited',
        exit: { code: 137, finishedAt: 900, reason: 'Error' },
        gone: true,
      },
      {
        id: `new ${name}`,
        name,
        attempt: 1,
        generation: 1,
        sandboxAttempt: 0,
        specHash: '',
        state: 'created',
        gone: false,
      },
    ]),
  },
  memory: {
    generation: 1,
    sandboxAttempt: 0,
    restart: { trigger: { kind: 'request', by: 'a test', at: 800 }, recordedAt: 800 },
  },
} as const satisfies { observed: Partial<Observed>; memory: Partial<Memory> };

test('nothing of the next run starts before nobody has a device open', (t) => {
  const { observed, memory } = cleared;
  const before = decided({ ...observed, devices: given }, memory);
  t.deepEqual(does(before), ['free devices of generations before 1']);
  t.is(before.memory.restart?.startingAt, undefined);
  // That it was so before an earlier restart says nothing of this one.
  t.deepEqual(does(decided({ ...observed, devices: given, devicesFree: 0 }, memory)), does(before));

  const after = decided({ ...observed, devices: given, devicesFree: 1 }, memory);
  t.deepEqual(does(after), ['start setup (new setup)']);
});

test('a pod without devices is not kept waiting for any', (t) => {
  t.deepEqual(does(decided(cleared.observed, cleared.memory)), ['start setup (new setup)']);
});

test('with an unhealthy device a restart is tried, or held and told of once', (t) => {
  const observed = { ...cleared.observed, devices: sick, devicesFree: 1 };
  t.deepEqual(does(decided(observed, cleared.memory)), ['start setup (new setup)']);

  const held = decided(observed, cleared.memory, { unhealthyDevices: 'wait' });
  t.deepEqual(does(held), []);
  t.deepEqual(
    held.events.map(({ reason }) => reason),
    ['RestartHeld'],
  );
  const again = decided(observed, held.memory, { unhealthyDevices: 'wait' });
  t.deepEqual(again.events, []);
  const healed = { ...observed, devices: given };
  t.deepEqual(does(decided(healed, again.memory, { unhealthyDevices: 'wait' })), [
    'start setup (new setup)',
  ]);
});

test('a pod that ends lets go of its devices before its sandbox goes', (t) => {
  const ending = { cause: 'deleted', at: 0, graceSeconds: 0, force: true, deletedAt: 0 } as const;
  const observed = { ...cleared.observed, devices: given, devicesFree: 1 };
  t.deepEqual(does(decided(observed, { ...cleared.memory, ending })), [
    'free devices of generations before 2',
  ]);
  t.deepEqual(does(decided({ ...observed, devicesFree: 2 }, { ...cleared.memory, ending })), [
    'stop sandbox sandbox',
  ]);
});

test('a pod is not over while somebody may still have a device of it open, with or without a sandbox', (t) => {
  const ending = { cause: 'failed', at: 0, graceSeconds: 0, force: false } as const;
  const memory = { ...cleared.memory, ending };
  const gone = cleared.observed.instances.filter(({ state }) => state === 'exited');
  const lost: Partial<Observed> = {
    ...cleared.observed,
    devices: given,
    sandboxes: cleared.observed.sandboxes.map((one) => ({
      ...one,
      ready: false,
      isStopped: true,
    })),
    instances: gone.map((one) => ({ ...one, gone: false })),
  };
  const phaseWith = (more: Partial<Observed>) =>
    decided({ ...lost, ...more }, memory).memory.phase.phase;
  t.not(phaseWith({}), 'Failed');
  t.not(phaseWith({ instances: gone }), 'Failed');
  t.not(phaseWith({ devicesFree: 2 }), 'Failed');
  t.is(phaseWith({ instances: gone, devicesFree: 2 }), 'Failed');
});

test('the status tells of each device how it is', (t) => {
  const observed = { ...nothing, devices: sick };
  const { memory } = decided({ devices: sick });
  const { conditions, containerStatuses } = podStatus(pod, observed, memory, defaultSettings, {
    hostIPs: [],
    handlers: {},
  });
  t.like(
    conditions.find(({ type }) => type === 'reprise.dev/DevicesHealthy'),
    { status: 'False', message: 'nvidia.com/gpu=GPU-1: it smokes' },
  );
  t.deepEqual(containerStatuses?.[0]?.allocatedResourcesStatus, [
    {
      name: 'nvidia.com/gpu',
      resources: [
        { resourceID: 'nvidia.com/gpu=GPU-1', health: 'Unhealthy', message: 'it smokes' },
      ],
    },
  ]);
});
