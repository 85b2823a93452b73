/** Probes and hooks: what each of them must and must not say. */
import { forbidden, invalidValue } from '../manifest-error.ts';
import type { Path, Problem } from '../manifest-error.ts';
import { hookHandlers, probeHandlers } from '../schema/handler.ts';
import { placedContainers } from './rule.ts';
import type { PartlyContainer, PartlyPod, RuleProblem } from './rule.ts';

const kinds = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const;
type PartlyProbe = NonNullable<PartlyContainer['livenessProbe']>;

/** A probe does one thing, and only readiness may come and go. */
export function* checkProbes(pod: PartlyPod): Generator<Problem> {
  for (const { container, path } of placedContainers(pod)) {
    for (const kind of kinds) {
      const probe = container[kind];
      if (probe === undefined) continue;
      const at = [...path, kind];
      yield* checkHandler(probe, at, probeHandlers);
      yield* kind === 'readinessProbe' ? checkReadiness(probe, at) : checkThreshold(probe, at);
    }
  }
}

/** There is one handler; that there is any is the schema's to say. */
export function* checkHandler(
  handler: Readonly<Record<string, unknown>>,
  path: Path,
  handlers: readonly string[],
): Generator<Problem> {
  const [one, ...more] = handlers.filter((name) => Object.hasOwn(handler, name));
  for (const other of more) {
    yield {
      path: [...path, other],
      message: forbidden('may not have more than one handler'),
      hint: `keep one of ${String(one)} and ${other}`,
    };
  }
}

function* checkThreshold({ successThreshold = 1 }: PartlyProbe, path: Path): Generator<Problem> {
  if (successThreshold <= 1) return;
  yield {
    path: [...path, 'successThreshold'],
    message: invalidValue(successThreshold, 'must be 1'),
    hint: 'leave it out: only readiness can wait for several successes',
  };
}

function* checkReadiness(probe: PartlyProbe, path: Path): Generator<Problem> {
  if (probe.terminationGracePeriodSeconds === undefined) return;
  yield {
    path: [...path, 'terminationGracePeriodSeconds'],
    message: forbidden('must not be set for readinessProbes'),
    hint: 'leave it out: a container that is not ready is not stopped',
  };
}

/** A hook does one thing, and does not sleep longer than there is time. */
export function* checkHooks(pod: PartlyPod): Generator<Problem> {
  const grace = Math.max(0, pod.spec?.terminationGracePeriodSeconds ?? 30);
  for (const { container, path } of placedContainers(pod)) {
    for (const kind of ['postStart', 'preStop'] as const) {
      const hook = container.lifecycle?.[kind];
      if (hook === undefined) continue;
      const at = [...path, 'lifecycle', kind];
      yield* checkHandler(hook, at, hookHandlers);
      const { seconds = 0 } = hook.sleep ?? {};
      if (seconds <= grace) continue;
      yield {
        path: [...at, 'sleep', 'seconds'],
        message: invalidValue(seconds, `must be at most terminationGracePeriodSeconds (${grace})`),
        hint: 'make it shorter, or terminationGracePeriodSeconds longer',
      };
    }
  }
}

/** Signals differ between systems: Kubernetes wants to know which one is meant. */
export function* checkStopSignals(pod: PartlyPod): Generator<RuleProblem> {
  if (pod.spec?.os?.name !== undefined) return;
  for (const { container, path } of placedContainers(pod)) {
    if (container.lifecycle?.stopSignal === undefined) continue;
    yield {
      path: [...path, 'lifecycle', 'stopSignal'],
      dependsOn: ['spec', 'os'],
      message: forbidden('may not be set without spec.os.name'),
      hint: 'add "os: {name: linux}" to the spec',
    };
  }
}

/** An init container that runs to its end has nothing to be asked for. */
export function* checkInitHandlers(pod: PartlyPod): Generator<Problem> {
  for (const { container, path, isInit } of placedContainers(pod)) {
    if (!isInit || container.restartPolicy === 'Always') continue;
    for (const field of [...kinds, 'lifecycle'] as const) {
      // Kubernetes lets an empty lifecycle pass.
      if (Object.keys(container[field] ?? {}).length === 0) continue;
      yield {
        path: [...path, field],
        message: forbidden('must not be set for init containers without restartPolicy=Always'),
        hint: 'move it to a sidecar or an app container',
      };
    }
  }
}
