/** Random pods, random processes, random trouble: what properties are tried on. */
import fc from 'fast-check';
import type { ProbeFinding } from '../agent/view.ts';
import type { Hook, Lifecycle, Probe } from '../pod/handler.ts';
import { probeKinds, probeOf } from '../pod/handler.ts';
import { own } from '../pod/own.ts';
import type { Container, Pod, RestartPolicy, RestartRule } from '../pod/pod.ts';
import { containersOf } from '../pod/pod.ts';
import { aContainer, aPod } from './builders.ts';
import type { Behaviour, Plan } from './simulated-node.ts';
import { SimulatedNode } from './simulated-node.ts';

/** A pod, its processes, and everything that goes wrong or is asked for. Plain data, so that it shrinks. */
export interface Life {
  readonly pod: Pod;
  /** By container name: what its runs do, one after the other; the last holds for all later ones. */
  readonly behaviours: Readonly<Record<string, readonly Behaviour[]>>;
  readonly trouble: Trouble;
  readonly disturbances: readonly Disturbance[];
}

/** Each list is used up from the front, once; afterwards everything is quick and works. */
interface Trouble {
  readonly latenciesMs: readonly number[];
  readonly failures: readonly boolean[];
  /** undefined: the event is lost. */
  readonly eventDelaysMs: readonly (number | undefined)[];
  readonly looksMs: readonly number[];
  readonly landsLate: readonly boolean[];
  readonly findings: readonly ProbeFinding['outcome'][];
  readonly hookFailures: readonly boolean[];
  readonly lagMs: number;
}

export type Disturbance = { readonly atMs: number } & (
  | { readonly kind: 'crash agent'; readonly downMs: number }
  | { readonly kind: 'crash machine' }
  | { readonly kind: 'kill sandbox' }
  /** Of this container, the runtime loses what it knows: its records, or whether it runs. */
  | { readonly kind: 'lose container'; readonly name: string; readonly isRemoved: boolean }
  | { readonly kind: 'restart' }
  /** An ephemeral container is added that looks at this container, or at none. */
  | { readonly kind: 'debug'; readonly name: string; readonly target?: string }
  /** What this container takes from objects. */
  | { readonly kind: 'change objects'; readonly name: string }
  | { readonly kind: 'delete'; readonly graceSeconds?: number; readonly force: boolean }
);

/** A life in few words, for the report of one that broke a promise. */
export function describeLife({ pod, behaviours, trouble, disturbances }: Life): string {
  const { restartPolicy, activeDeadlineSeconds, terminationGracePeriodSeconds } = pod.spec;
  const inShort = JSON.stringify;
  return [
    `pod: ${inShort({ restartPolicy, activeDeadlineSeconds, terminationGracePeriodSeconds })}`,
    ...containersOf(pod).map(({ container }) => {
      const { name, restartPolicy, restartPolicyRules, lifecycle = {} } = container;
      const visits = [
        ...Object.keys(lifecycle),
        ...probeKinds.filter((kind) => probeOf(container, kind) !== undefined),
      ];
      const rules = restartPolicyRules.map(
        ({ action, exitCodes: { operator, values } }) =>
          `${action} ${operator} ${values.join(' ')}`,
      );
      return `${name}: ${inShort([restartPolicy, ...rules, ...visits])} does ${inShort(own(behaviours, name))}`;
    }),
    `trouble: ${inShort(trouble)}`,
    `disturbances: ${inShort(disturbances)}`,
  ].join('\n');
}

/** A node on which that life takes place. */
export function play({ pod, behaviours, trouble, disturbances }: Life): SimulatedNode {
  const node = new SimulatedNode(pod, {
    behave: (name, run) => {
      const all = own(behaviours, name) ?? [];
      return all[Math.min(run, all.length - 1)] ?? {};
    },
    ...usedUp(trouble),
  });
  for (const one of disturbances) {
    node.after(one.atMs, () => disturb(node, one));
  }
  return node;
}

function usedUp(trouble: Trouble): Omit<Plan, 'behave'> {
  const next = <T>(list: readonly T[], after: T) => {
    const left = [...list];
    return () => (left.length > 0 ? (left.shift() as T) : after);
  };
  return {
    latencyMs: next(trouble.latenciesMs, 1),
    fails: next(trouble.failures, false),
    eventDelayMs: next(trouble.eventDelaysMs, 1),
    lookMs: next(trouble.looksMs, 0),
    landsLate: next(trouble.landsLate, false),
    probe: next(trouble.findings, 'success'),
    hookFails: next(trouble.hookFailures, false),
    lagMs: trouble.lagMs,
  };
}

function disturb(node: SimulatedNode, disturbance: Disturbance): void {
  switch (disturbance.kind) {
    case 'crash agent':
      node.crashAgent(disturbance.downMs);
      return;
    case 'crash machine':
      node.crashMachine();
      return;
    case 'kill sandbox':
      node.killSandbox();
      return;
    case 'lose container':
      if (disturbance.isRemoved) node.runtime.removeContainers(disturbance.name);
      else node.runtime.loseTrackOf(disturbance.name);
      node.lookAgain();
      return;
    case 'change objects':
      node.changeObjects({ [disturbance.name]: `at ${node.now}` });
      return;
    case 'debug': {
      const { name, target } = disturbance;
      const container = aContainer(name);
      node.debug({ ...container, ...(target !== undefined && { targetContainerName: target }) });
      return;
    }
    case 'restart':
      node.request({ kind: 'restart', by: 'root', at: node.now });
      return;
    case 'delete': {
      const { graceSeconds, force } = disturbance;
      node.request({ kind: 'delete', graceSeconds, force, at: node.now });
      return;
    }
    default:
      disturbance satisfies never;
  }
}

const codes = [0, 1, 42, 88, 137];
const policies: readonly RestartPolicy[] = ['Always', 'OnFailure', 'Never'];

const aRule: fc.Arbitrary<RestartRule> = fc.record({
  action: fc.constantFrom('Restart' as const, 'RestartAllContainers' as const),
  exitCodes: fc.record({
    operator: fc.constantFrom('In' as const, 'NotIn' as const),
    values: fc.subarray(codes, { minLength: 1, maxLength: 3 }),
  }),
});
const rules = fc.array(aRule, { maxLength: 2 });

/** Far apart: virtual time is cheap, what happens in it is not. */
const aProbe: fc.Arbitrary<Probe> = fc.record({
  exec: fc.constant({ command: ['check'] }),
  initialDelaySeconds: fc.constantFrom(0, 1, 50),
  timeoutSeconds: fc.constant(1),
  periodSeconds: fc.constantFrom(60, 100),
  successThreshold: fc.constant(1),
  failureThreshold: fc.constantFrom(1, 1, 2),
  terminationGracePeriodSeconds: fc.constantFrom(undefined, 3),
});
const aHook: fc.Arbitrary<Hook> = fc.constant({ sleep: { seconds: 1 } });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 1 });

/** Probes and hooks; every second container has none. */
const someVisits: fc.Arbitrary<Partial<Container>> = fc.oneof(
  fc.constant({}),
  fc.record({
    lifecycle: maybe<Lifecycle>(fc.record({ postStart: maybe(aHook), preStop: maybe(aHook) })),
    startupProbe: maybe(aProbe),
    livenessProbe: maybe(aProbe),
    readinessProbe: maybe(aProbe.map((probe) => ({ ...probe, successThreshold: 2 }))),
  }),
);

function containers(
  kind: string,
  size: { minLength: number; maxLength: number },
  restartPolicy: fc.Arbitrary<RestartPolicy | undefined>,
): fc.Arbitrary<Container[]> {
  const visits = kind === 'init' ? fc.constant({}) : someVisits;
  return fc
    .array(fc.record({ restartPolicy, restartPolicyRules: rules, visits }), size)
    .map((all) =>
      all.map(({ visits: asked, ...more }, index) =>
        aContainer(`${kind}-${index}`, { ...more, ...asked }),
      ),
    );
}

const podOfAnyShape: fc.Arbitrary<Pod> = fc
  .record({
    inits: containers(
      'init',
      { minLength: 0, maxLength: 3 },
      fc.constantFrom(undefined, 'OnFailure' as const, 'Never' as const),
    ),
    sidecars: containers('sidecar', { minLength: 0, maxLength: 3 }, fc.constant('Always' as const)),
    apps: containers(
      'app',
      { minLength: 1, maxLength: 4 },
      fc.constantFrom(undefined, ...policies),
    ),
    restartPolicy: fc.constantFrom(...policies),
    activeDeadlineSeconds: fc.option(fc.constantFrom(1, 300), { nil: undefined, freq: 8 }),
    terminationGracePeriodSeconds: fc.constantFrom(0, 5, 30),
    // In which order init containers and sidecars come: a key for each to sort by.
    keys: fc.array(fc.nat(9), { minLength: 6, maxLength: 6 }),
  })
  .map(({ inits, sidecars, apps, keys, ...more }) => {
    const keyed = [...inits, ...sidecars].map((one, index) => ({ one, key: keys[index] ?? 0 }));
    const inOrder = keyed.toSorted((a, b) => a.key - b.key).map(({ one }) => one);
    return aPod(inOrder, apps, more);
  });

const aTime = fc.constantFrom(0, 1, 3, 20, 500, 4_000, 15_000, 90_000, 700_000);

function behaviours(canEnd: fc.Arbitrary<number | undefined>): fc.Arbitrary<Behaviour[]> {
  return fc.array(
    fc.record({
      runsMs: canEnd,
      code: fc.constantFrom(0, 0, ...codes),
      ignoresTerm: fc.boolean(),
      cannotStart: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
      survivesKills: fc.constantFrom(0, 0, 0, 2),
      lingersMs: fc.oneof(
        { weight: 5, arbitrary: fc.constant(0) },
        fc.constantFrom(1, 300, 2_500, 20_000),
      ),
    }),
    { minLength: 1, maxLength: 3 },
  );
}

const runsOf = {
  init: behaviours(fc.oneof({ weight: 9, arbitrary: aTime }, fc.constant(undefined))),
  other: behaviours(fc.option(aTime, { nil: undefined, freq: 2 })),
};

const trouble: fc.Arbitrary<Trouble> = fc.record({
  latenciesMs: fc.array(fc.constantFrom(0, 1, 2, 20, 400, 3_000), { maxLength: 40 }),
  failures: fc.array(fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)), {
    maxLength: 40,
  }),
  eventDelaysMs: fc.array(fc.constantFrom(0, 1, 30, 2_000, undefined), { maxLength: 20 }),
  looksMs: fc.array(fc.constantFrom(0, 2, 50, 1_500), { maxLength: 20 }),
  landsLate: fc.array(fc.boolean(), { maxLength: 4 }),
  findings: fc.array(
    fc.constantFrom<ProbeFinding['outcome']>('success', 'success', 'failure', 'unknown'),
    { maxLength: 12 },
  ),
  hookFailures: fc.array(fc.boolean(), { maxLength: 4 }),
  lagMs: fc.constantFrom(0, 0, 30),
});

/** What is added to running pods. */
const debuggers: readonly Container[] = [aContainer('debugger-0'), aContainer('debugger-1')];

/** Lives with at most so many disturbances of these kinds. */
export function lives(
  kinds: readonly Disturbance['kind'][],
  maxDisturbances: number,
): fc.Arbitrary<Life> {
  return podOfAnyShape.chain((pod) =>
    fc.record({
      pod: fc.constant(pod),
      behaviours: fc.record(
        Object.fromEntries(
          [...pod.spec.initContainers, ...pod.spec.containers, ...debuggers].map(({ name }) => [
            name,
            name.startsWith('init') ? runsOf.init : runsOf.other,
          ]),
        ),
      ),
      trouble,
      disturbances: fc.array(aDisturbance(pod, kinds), { maxLength: maxDisturbances }),
    }),
  );
}

function aDisturbance(pod: Pod, kinds: readonly Disturbance['kind'][]): fc.Arbitrary<Disturbance> {
  const atMs = fc.oneof(
    aTime,
    fc.nat(40),
    fc.nat(5_000).map((ms) => ms / 2),
  );
  return fc
    .record({
      atMs,
      kind: fc.constantFrom(...kinds),
      downMs: fc.constantFrom(0, 1, 100, 5_000, 100_000),
      graceSeconds: fc.constantFrom(undefined, undefined, 0, 3),
      name: fc.constantFrom(...containersOf(pod).map(({ container }) => container.name)),
      guest: fc.constantFrom(...debuggers.map((one) => one.name)),
      flag: fc.boolean(),
    })
    .map(({ atMs, kind, downMs, graceSeconds, name, guest, flag }): Disturbance => {
      switch (kind) {
        case 'crash agent':
          return { atMs, kind, downMs };
        case 'delete':
          return { atMs, kind, graceSeconds, force: flag };
        case 'lose container':
          return { atMs, kind, name, isRemoved: flag };
        case 'change objects':
          return { atMs, kind, name };
        case 'debug':
          return { atMs, kind, name: guest, ...(flag && { target: name }) };
        case 'crash machine':
        case 'kill sandbox':
        case 'restart':
          return { atMs, kind };
        default:
          return kind satisfies never;
      }
    });
}
