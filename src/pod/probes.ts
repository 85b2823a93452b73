/**
 * Probes: which is due when, and what their results lead to.
 *
 * A result belongs to one instance, by the container's id, and counts only while that instance is the
 * current one and runs: nothing that was found out about an earlier run, or an earlier generation,
 * ever touches a later one. What has been settled is remembered, so that neither `started` nor
 * `ready` is lost with the agent; the times between probes are not.
 *
 * Source: the kubelet's prober/worker.go and prober_manager.go. There a clock of its own ticks for each
 * probe; here the time of the next one follows from the last, so nothing ticks where nothing is due.
 */
import type { Decision, Look, PodEvent } from './decision.ts';
import { both, earlier, only } from './decision.ts';
import type { Probe, ProbeKind } from './handler.ts';
import { probeKinds, probeOf } from './handler.ts';
import { awaitsPostStart } from './hooks.ts';
import { currentInstance, inThisRun } from './instances.ts';
import type { ContainerMemory, Memory, ProbeMemory } from './memory.ts';
import type { Instance, ProbeResult } from './observed.ts';
import type { Container } from './pod.ts';
import { containersOf } from './pod.ts';

/** Whether a container that runs counts as started: its hook is done, its startup probe has succeeded. */
export function isStarted(container: Container, known: ContainerMemory | undefined): boolean {
  if (awaitsPostStart(container, known) || known?.postStart === 'failed') return false;
  return container.startupProbe === undefined || known?.probes?.startup?.result === 'success';
}

/** Whether a container that has started is ready, as far as its probe can tell. */
export function isFoundReady(container: Container, known: ContainerMemory | undefined): boolean {
  return container.readinessProbe === undefined || known?.probes?.readiness?.result === 'success';
}

/** The probe that has failed so often that the container has to be stopped. */
export function failedProbe(known: ContainerMemory): 'startup' | 'liveness' | undefined {
  const isFailed = (kind: ProbeKind) => known.probes?.[kind]?.result === 'failure';
  if (isFailed('startup')) return 'startup';
  return isFailed('liveness') ? 'liveness' : undefined;
}

/** Folds what probes have found into the memory. */
export function takeProbeResults(look: Look, memory: Memory): Decision {
  const { probeResults = [] } = look.observed;
  return probeResults.reduce<Decision>(
    (sofar, result) => both(sofar, takeResult(look, sofar.memory, result)),
    only(memory),
  );
}

function takeResult(look: Look, memory: Memory, result: ProbeResult): Decision {
  const { name, probe: kind } = result;
  const found = containersOf(look.pod).find(({ container }) => container.name === name);
  const probe = found && probeOf(found.container, kind);
  const known = inThisRun(memory, name);
  const instance = currentInstance(look.observed, memory, name);
  const counts = known !== undefined && instance?.id === result.id && isProbed(known, instance);
  if (probe === undefined || !counts) return only(memory);

  const events = eventsOf(result);
  if (result.outcome === 'unknown') return { ...only(memory), events };
  const outcome = result.outcome === 'failure' ? 'failure' : 'success';
  const before = known.probes?.[kind];
  const isEarly = before === undefined && outcome === 'failure' && kind !== 'readiness';
  const after = isEarly ? tooEarly : folded(before, outcome, probe, look.now);
  const probes = { ...known.probes, [kind]: after };
  return {
    memory: { ...memory, containers: { ...memory.containers, [name]: { ...known, probes } } },
    actions: [],
    events: isEarly ? [] : events,
  };
}

/**
 * The kubelet's clock ticks before the container is there, so that its first probe comes some time within
 * the first period. Ours comes at once: as a success it counts, which saves that time; as a failure it does
 * not, so that no container has less time for its start than it can rely on there.
 */
const tooEarly: ProbeMemory = { last: 'failure', inARow: 0 };

/** A result counts when there were enough of it in a row; until then the one before stands. */
function folded(
  before: ProbeMemory | undefined,
  outcome: 'success' | 'failure',
  { successThreshold, failureThreshold }: Probe,
  now: number,
): ProbeMemory {
  const threshold = outcome === 'success' ? successThreshold : failureThreshold;
  const inARow = before?.last === outcome ? before.inARow + 1 : 1;
  // No further than it matters: a probe that goes on as before changes nothing that has to be saved.
  const result = inARow >= threshold ? outcome : before?.result;
  return {
    last: outcome,
    inARow: Math.min(inARow, threshold),
    result,
    passedAt: before?.passedAt ?? (result === 'success' ? now : undefined),
  };
}

const titles: Readonly<Record<ProbeKind, string>> = {
  startup: 'Startup',
  liveness: 'Liveness',
  readiness: 'Readiness',
};

function eventsOf({ name, probe, outcome, output }: ProbeResult): readonly PodEvent[] {
  const warning = (reason: string, what: string): readonly PodEvent[] => [
    {
      type: 'Warning',
      reason,
      message: `${titles[probe]} probe ${what}: ${output}`,
      container: name,
    },
  ];
  switch (outcome) {
    case 'success':
      return [];
    case 'warning':
      return warning('ProbeWarning', 'warning');
    case 'failure':
      return warning('Unhealthy', 'failed');
    case 'unknown':
      return warning('Unhealthy', 'errored and resulted in unknown state');
    default:
      return outcome satisfies never;
  }
}

/** Probes whatever is due now, and tells when the next probe is. */
export function probeWhatIsDue(look: Look, memory: Memory): Decision {
  return containersOf(look.pod).reduce<Decision>((sofar, { container }) => {
    const known = inThisRun(memory, container.name);
    const instance = currentInstance(look.observed, memory, container.name);
    if (known === undefined || instance?.id === undefined) return sofar;
    if (!isProbed(known, instance) || awaitsPostStart(container, known)) return sofar;
    return probeKinds.reduce<Decision>((soonest, kind) => {
      const probe = probeOf(container, kind);
      if (probe === undefined || !isWanted(kind, container, known, memory)) return soonest;
      const at = dueAt(look, known, instance, kind, probe);
      if (at === undefined) return soonest;
      if (at > look.now) return { ...soonest, lookAgainAt: earlier(soonest.lookAgainAt, at) };
      const { id = '', name } = instance;
      const action = { kind: 'probe-container' as const, id, name, probe: kind };
      return { ...soonest, actions: [...soonest.actions, action] };
    }, sofar);
  }, only(memory));
}

function isProbed(known: ContainerMemory, { state }: Instance): boolean {
  return known.exit === undefined && state === 'running';
}

/** Startup until it has succeeded, the others afterwards; what has failed for good rests. */
function isWanted(
  kind: ProbeKind,
  container: Container,
  known: ContainerMemory,
  { ending }: Memory,
): boolean {
  const result = known.probes?.[kind]?.result;
  switch (kind) {
    case 'startup':
      return result === undefined && ending === undefined && known.stop === undefined;
    case 'liveness':
      if (ending !== undefined || known.stop !== undefined) return false;
      return isStarted(container, known) && result !== 'failure';
    case 'readiness':
      // Until the very end: whoever watches wants to know.
      return isStarted(container, known);
    default:
      return kind satisfies never;
  }
}

function dueAt(
  { observed, now }: Look,
  { startedAt = now }: ContainerMemory,
  instance: Instance,
  kind: ProbeKind,
  { initialDelaySeconds = 0, periodSeconds }: Probe,
): number | undefined {
  const last = instance.probes?.[kind];
  if (last?.isUnderWay === true) return undefined;
  const periodMs = periodSeconds * 1000;
  if (last !== undefined) return last.begunAt + periodMs;
  const first = startedAt + initialDelaySeconds * 1000;
  // An agent that was away goes on in the old rhythm; else it would probe everything at once.
  const missed = Math.max(0, Math.ceil(((observed.since ?? first) - first) / periodMs));
  return first + missed * periodMs;
}
