// What is remembered from a life of the agent whose clock was two hours ahead.
import test from 'ava';
import { aContainer, aPod, anInstance } from '../testing/builders.ts';
import { aLoan } from '../testing/node.ts';
import { inWords } from './action.ts';
import { decide } from './decide.ts';
import type { ContainerMemory, Memory } from './memory.ts';
import { blankMemory } from './memory.ts';
import type { Instance } from './observed.ts';
import { inThePast } from './past.ts';
import type { PodSpec } from './pod.ts';
import { defaultSettings } from './settings.ts';

const now = Date.UTC(2026, 0, 1);
const ahead = now + 2 * 3_600_000;

const periodic = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 1 };
const livenessProbe = { tcpSocket: { port: 80 }, ...periodic };
const begun = { attempt: 0, generation: 0, sandboxAttempt: 0, restartCount: 0, containerId: 'c1' };
const exit = { exitCode: 1, reason: 'Error', startedAt: ahead - 1_000, finishedAt: ahead };
const trigger = { kind: 'request', by: 'root', at: ahead } as const;

interface Case {
  readonly main?: Partial<ContainerMemory>;
  readonly remembered?: Partial<Memory>;
  readonly instance?: Partial<Instance>;
  readonly spec?: Partial<PodSpec>;
  readonly does: readonly string[];
  /** In seconds. */
  readonly looksAgainIn?: number;
}

const cases: Record<string, Case> = {
  'a probe comes when its delay is over': {
    main: { startedAt: ahead },
    does: [],
    looksAgainIn: 5,
  },
  'a container that has failed waits no longer than its back-off': {
    main: {
      startedAt: ahead,
      exit,
      backoff: { delayMs: 20_000, at: ahead },
      backoffReported: true,
    },
    instance: { state: 'exited', gone: true },
    does: [],
    looksAgainIn: 20,
  },
  'a container that has failed its probe has its grace and no more': {
    main: {
      startedAt: ahead,
      stop: { cause: 'liveness', at: ahead, graceSeconds: 7, isReplaced: true },
    },
    does: ['stop main (c1) within 7 s'],
  },
  'a pod that is deleted has its grace and no more': {
    main: { startedAt: ahead },
    remembered: {
      ending: { cause: 'deleted', at: ahead, deletedAt: ahead, graceSeconds: 30, force: false },
    },
    does: ['stop main (c1) within 30 s'],
  },
  'a pod has no longer than its deadline': {
    main: {
      startedAt: ahead,
      probes: { liveness: { last: 'success', inARow: 1, result: 'failure' } },
    },
    remembered: { startTime: ahead },
    instance: { stopBy: now + 30_000 },
    spec: { activeDeadlineSeconds: 3 },
    does: [],
    looksAgainIn: 3,
  },
  'an in-place restart waits no longer than its back-off': {
    remembered: {
      generation: 1,
      restartBackoff: { delayMs: 4_000, at: ahead + 4_000 },
      restart: { trigger, recordedAt: ahead, startNotBefore: ahead + 4_000 },
    },
    instance: { generation: 1, attempt: 1, state: 'created', startedAt: undefined },
    does: [],
    looksAgainIn: 4,
  },
};

for (const [title, one] of Object.entries(cases)) {
  test(`after the clock was set back, ${title}`, (t) => {
    const { does, looksAgainIn } = one;
    const container = aContainer('main', {
      livenessProbe: { ...livenessProbe, initialDelaySeconds: 5 },
    });
    const pod = aPod([], [container], { restartPolicy: 'Always', ...one.spec });
    const memory: Memory = {
      ...blankMemory,
      sandboxAttempt: 0,
      initialized: true,
      containers: { main: { ...begun, ...one.main } },
      ...one.remembered,
    };
    const observed = {
      sandboxes: [{ id: 's', attempt: 0, ready: true, ips: [] }],
      instances: [anInstance({ startedAt: ahead, ...one.instance })],
      loan: aLoan(),
      failures: {},
      requests: [],
      busy: false,
    };
    const settings = { ...defaultSettings, standbys: false };
    const decision = decide(pod, observed, inThePast(memory, now), now, settings);
    t.deepEqual(decision.actions.map(inWords), does);
    const { lookAgainAt } = decision;
    if (looksAgainIn !== undefined) t.is(lookAgainAt, now + looksAgainIn * 1_000);
  });
}

test('what has just happened stays as it is, whoever has read which clock', (t) => {
  const memory = {
    ...blankMemory,
    startTime: now,
    containers: { main: { ...begun, exit: { ...exit, startedAt: now - 5, finishedAt: now + 2 } } },
  };
  t.deepEqual(inThePast(memory, now), memory);
});
