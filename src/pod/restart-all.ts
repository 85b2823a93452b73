/**
 * The in-place restart: what triggers it, and the proof that the old run is over.
 *
 * KEP-5532, with the differences that docs/architecture.md lists: the generation grows and is saved
 * before the first kill; every old container gets SIGKILL at once; and nothing of the new generation
 * starts while a process of an older one may still hold memory of a GPU, a port or a file lock.
 *
 * Read next: start-order.ts, which brings the new generation up; restart-record.ts, the end of it.
 */
import type { Action } from './action.ts';
import { inPlaceBackoff } from './backoff.ts';
import { bringAhead } from './bring-up.ts';
import type { Decision, Look, PodEvent } from './decision.ts';
import { both, only } from './decision.ts';
import { currentInstance, currentSandbox, isAlive, isCurrent, isUnused } from './instances.ts';
import type { ContainerMemory, Memory, RestartUnderWay, Trigger } from './memory.ts';
import type { Instance } from './observed.ts';
import { freeDevices, heldByDevices } from './keep-devices.ts';
import { own } from './own.ts';
import { containersOf } from './pod.ts';
import { RESTARTING_ALL_MESSAGE } from './remember.ts';
import { beganAt, leaveRestart } from './restart-record.ts';
import { afterExit } from './restart-rules.ts';
import { tidyProven, tidyWhenQuiet } from './tidy.ts';

/** If no exit has come this long after SIGKILL, it is sent again. */
const KILL_AGAIN_MS = 1_000;

/** What asks for an in-place restart now: the earliest matching exit of this generation, or a request. */
export function findTrigger({ pod, observed }: Look, memory: Memory): Trigger | undefined {
  // What a lost sandbox strands has its grace: rules are looked at when all of it has ended.
  const isStranding =
    currentSandbox(observed, memory)?.ready !== true && observed.instances.some(isAlive);
  const judged = isStranding ? [] : containersOf(pod);
  const exits = judged.flatMap(({ container, kind }) => {
    const known = own(memory.containers, container.name);
    if (known?.exit === undefined || known.generation !== memory.generation) return [];
    const after = afterExit(pod, container, kind, known.exit);
    if (after.kind !== 'restart-all') return [];
    return {
      kind: 'exit' as const,
      container: container.name,
      exitCode: known.exit.exitCode,
      ruleIndex: after.ruleIndex,
      exitedAt: known.exit.finishedAt ?? 0,
      seenAt: currentInstance(observed, memory, container.name)?.exit?.seenAt,
    };
  });
  const [first] = exits.toSorted((a, b) => a.exitedAt - b.exitedAt);
  if (first !== undefined) return first;

  const request = observed.requests.find(({ kind }) => kind === 'restart');
  // One that is already clearing away is exactly what the request asks for.
  if (request?.kind !== 'restart' || isClearing(memory)) return undefined;
  return { kind: 'request', by: request.by, at: request.at };
}

/** Old processes may be left, or the back-off holds the start back. */
export function isClearing({ restart }: Memory): boolean {
  return restart !== undefined && restart.startingAt === undefined;
}

/** The memory and the events of a restart that begins now. */
export function nextGeneration(look: Look, memory: Memory, trigger: Trigger): Decision {
  const generation = memory.generation + 1;
  const restart: RestartUnderWay = { trigger, recordedAt: look.now };
  const next = { ...leaveRestart(look, memory), generation, initialized: false, restart };
  const killing = look.observed.instances
    .filter((one) => isAlive(one) && one.generation < generation)
    .map(({ name }) => killingEvent(name));
  const held = trigger.kind === 'exit' ? withBackoff(look, next, restart, trigger.exitedAt) : next;
  return {
    memory: held,
    actions: [],
    events: [
      {
        type: trigger.kind === 'exit' ? 'Warning' : 'Normal',
        reason: 'RestartingAllContainers',
        message: `${describeTrigger(trigger)}; restarting all containers in place (generation ${generation})`,
      },
      ...killing,
      ...backoffEvent(held.restart),
    ],
  };
}

/** `container "watcher" exited with code 88 (restartPolicyRules[0])`. */
export function describeTrigger(trigger: Trigger): string {
  return trigger.kind === 'exit'
    ? `container "${trigger.container}" exited with code ${trigger.exitCode} (restartPolicyRules[${trigger.ruleIndex}])`
    : `${trigger.by} asked for it`;
}

/**
 * Kills what is left of older generations and proves it gone, while the next containers are created.
 * Done when `memory.restart.startingAt` is set.
 */
export function clearOldGeneration(look: Look, before: Memory): Decision {
  const { observed, now } = look;
  const old = observed.instances.filter((one) => one.generation < before.generation);
  const memory = rememberKill(endBackoffIfAsked(look, before), old);
  const standing = old.filter((one) => !isUnused(one) && !one.gone);
  // Its start was asked for by an agent that was killed, and may still come: not if it is removed.
  const pending = old.filter((one) => one.state === 'created' && isCurrent(memory, one));
  if (standing.length === 0 && pending.length === 0) {
    const actions = freeDevices(look, memory.generation);
    return actions.length > 0 ? { ...only(memory), actions } : allDead(look, memory);
  }

  const ahead = bringAhead(look, memory);
  const cleared = clear(standing, now, (one) => one.isCaught === true || !isAlive(one));
  const removals = pending.flatMap(({ id, name }) =>
    id === undefined ? [] : [{ kind: 'remove-container' as const, id, name }],
  );
  const clearing = both(ahead, {
    ...cleared,
    actions: [...cleared.actions, ...removals],
    memory: ahead.memory,
  });
  return both(clearing, tidyProven(look, clearing.memory));
}

/**
 * SIGKILL for those that live, proof for those that have ended. In-place restarts do not even wait for
 * the exits of those that the kill has caught, which containerd tells when it has time: an empty cgroup
 * proves as much. What is told later is remembered all the same (remember.ts).
 */
export function clear(
  standing: readonly Instance[],
  now: number,
  isOver: (one: Instance) => boolean = (one) => !isAlive(one),
): Omit<Decision, 'memory'> {
  const living = standing.filter(isAlive);
  // One that is just starting may have no cgroup yet: it is killed as soon as its start has answered.
  const due = living.filter(
    ({ state, killedAt = 0 }) => state !== 'starting' && now >= killedAt + KILL_AGAIN_MS,
  );
  // One proof for all, when the last one is over; what had ended before needs not wait for it.
  const isTime = standing.every(isOver) || due.length > 0;
  const over = standing.filter((one) => isTime && isOver(one));
  const again = idsOf(due.filter(({ killedAt }) => killedAt !== undefined));
  const kill = { kind: 'kill-containers' as const, ids: idsOf(due) };
  return {
    actions: [
      ...(due.length > 0 ? [{ ...kill, ...(again.length > 0 && { again }) }] : []),
      ...proveGone(over),
    ],
    events: [],
    lookAgainAt: living.length > 0 ? now + KILL_AGAIN_MS : undefined,
  };
}

/** Each by itself: one whose processes hang keeps no other from being proven, and none is proven twice. */
export function proveGone(instances: readonly Instance[]): Action[] {
  return idsOf(instances).map((id) => ({ kind: 'prove-gone', ids: [id] }));
}

function allDead(look: Look, memory: Memory): Decision {
  const { restart } = memory;
  if (restart === undefined) return only(memory);
  const deadAt = restart.deadAt ?? look.now;
  const cleared: Memory = {
    ...memory,
    restart: { ...restart, deadAt },
    containers: Object.fromEntries(
      Object.entries(memory.containers).map(([name, known]) => [name, runIsOver(memory, known)]),
    ),
  };
  const { startNotBefore } = restart;
  if (startNotBefore !== undefined && look.now < startNotBefore) {
    const ahead = { ...bringAhead(look, cleared), lookAgainAt: startNotBefore };
    return ahead.actions.length > 0 ? ahead : both(ahead, tidyWhenQuiet(look, cleared));
  }
  return (
    heldByDevices(look, cleared) ??
    only({ ...cleared, restart: { ...restart, deadAt, startingAt: look.now } })
  );
}

/** A user who asks for what the back-off holds back does not have to wait for it. */
function endBackoffIfAsked({ observed, now }: Look, memory: Memory): Memory {
  const { restart } = memory;
  const isAsked = observed.requests.some(({ kind }) => kind === 'restart');
  if (!isAsked || restart?.startNotBefore === undefined) return memory;
  return { ...memory, restart: { ...restart, startNotBefore: undefined, backoffEndedAt: now } };
}

function rememberKill(memory: Memory, old: readonly Instance[]): Memory {
  const { restart } = memory;
  if (restart === undefined || restart.killedAt !== undefined) return memory;
  // Some may still be there that the restart before has killed.
  const times = old
    .flatMap(({ killedAt }) => killedAt ?? [])
    .filter((at) => at >= restart.recordedAt);
  if (times.length === 0) return memory;
  return { ...memory, restart: { ...restart, killedAt: Math.min(...times) } };
}

/** Counts a finished run of a container. Doing it twice changes nothing. */
function runIsOver(memory: Memory, known: ContainerMemory): ContainerMemory {
  const ran = known.startedAt !== undefined || known.exit !== undefined;
  if (known.generation >= memory.generation || !ran) return known;
  const { startedAt, exit, postStart, probes, stop, ...rest } = known;
  const unseen = {
    exitCode: 137,
    reason: 'RestartingAllContainers',
    message: RESTARTING_ALL_MESSAGE,
    startedAt,
    containerId: known.containerId,
  };
  return {
    ...rest,
    isOver: true,
    containerId: undefined,
    restartCount: known.restartCount + 1,
    lastExit: exit ?? unseen,
  };
}

function withBackoff(
  { pod, settings }: Look,
  memory: Memory,
  restart: RestartUnderWay,
  triggeredAt: number,
): Memory {
  const maxMs = pod.inPlaceBackoffMaxMs ?? settings.inPlaceBackoffMaxMs;
  if (maxMs === 0) return { ...memory, restartBackoff: undefined };
  const restartBackoff = inPlaceBackoff(memory.restartBackoff, triggeredAt, maxMs);
  return restartBackoff.delayMs === 0
    ? { ...memory, restartBackoff }
    : { ...memory, restartBackoff, restart: { ...restart, startNotBefore: restartBackoff.at } };
}

function backoffEvent(restart: RestartUnderWay | undefined): PodEvent[] {
  if (restart?.startNotBefore === undefined) return [];
  const seconds = Math.round((restart.startNotBefore - beganAt(restart.trigger)) / 1000);
  const message = `Back-off ${seconds}s restarting all containers in place`;
  return [{ type: 'Warning', reason: 'BackOff', message }];
}

function killingEvent(container: string): PodEvent {
  return {
    type: 'Normal',
    reason: 'Killing',
    message: `Killing container ${container}: all containers are restarted in place`,
    container,
  };
}

function idsOf(instances: readonly Instance[]): string[] {
  return instances.flatMap(({ id }) => id ?? []);
}
