/**
 * Keeps what is remembered to have happened in the past. While the agent was away the clock may have been
 * set back; a wait that counts from what lies hours ahead would take hours more.
 *
 * Once is enough: within one life of the agent its clock never goes back (../agent/clock.ts).
 */
import type { ContainerMemory, Memory, RestartUnderWay, Termination, Trigger } from './memory.ts';

/** So little may be a matter of who has read which clock. */
const TOLERANCE_MS = 1_000;

/** The memory with no time later than now that a wait counts from. */
export function inThePast(memory: Memory, now: number): Memory {
  const { restart, restartBackoff, ending } = memory;
  const containers = Object.entries(memory.containers);
  // An in-place restart may have to wait for its start; for so long, and no longer.
  const latestStart = now + (restartBackoff?.delayMs ?? 0);
  return {
    ...noLater(memory, now, 'startTime', 'sandboxLostAt'),
    containers: Object.fromEntries(containers.map(([name, one]) => [name, known(one, now)])),
    ...(restart && { restart: noLater(underWay(restart, now), latestStart, 'startNotBefore') }),
    ...(restartBackoff && { restartBackoff: noLater(restartBackoff, latestStart, 'at') }),
    ...(ending && { ending: noLater(ending, now, 'at', 'deletedAt') }),
  };
}

function known(container: ContainerMemory, now: number): ContainerMemory {
  const { stop, exit, lastExit, backoff } = container;
  return {
    ...noLater(container, now, 'startedAt'),
    ...(stop && { stop: noLater(stop, now, 'at') }),
    ...(exit && { exit: ended(exit, now) }),
    ...(lastExit && { lastExit: ended(lastExit, now) }),
    ...(backoff && { backoff: noLater(backoff, now, 'at') }),
  };
}

function ended(exit: Termination, now: number): Termination {
  return noLater(exit, now, 'startedAt', 'finishedAt');
}

function underWay(restart: RestartUnderWay, now: number): RestartUnderWay {
  const begun = noLater(restart, now, 'recordedAt', 'killedAt', 'deadAt', 'startingAt');
  return { ...begun, trigger: triggered(restart.trigger, now) };
}

function triggered(trigger: Trigger, now: number): Trigger {
  return trigger.kind === 'exit'
    ? noLater(trigger, now, 'exitedAt', 'seenAt')
    : noLater(trigger, now, 'at');
}

/** The same with those of its times that are later put back to the latest. */
function noLater<T extends object>(all: T, latest: number, ...times: readonly (keyof T)[]): T {
  const late = times.filter((time) => Number(all[time] ?? 0) > latest + TOLERANCE_MS);
  if (late.length === 0) return all;
  return { ...all, ...Object.fromEntries(late.map((time) => [time, latest])) };
}
