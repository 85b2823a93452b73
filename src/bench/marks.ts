/**
 * The course of an in-place restart as the agent remembers it. Pure.
 *
 * Times of exits are containerd's own; all others are the agent's.
 */
import type { Memory, RestartRecord } from '../pod/memory.ts';
import type { Mark } from './contender.ts';

/** What happens in every in-place restart, in words. */
export const happenings = {
  exited: 'trigger has exited',
  seen: 'exit seen',
  killed: 'first kill sent',
  lastKilled: 'last container killed has exited',
  dead: 'all proven dead',
  starting: 'start-up begins',
} as const;

/** What happened in the last restart that the memory knows of, in the order of the time. */
export function marksOf(memory: Memory): readonly Mark[] {
  const record = memory.restarts.at(-1);
  if (record?.trigger.kind !== 'exit') return [];
  const { trigger, killedAt, deadAt, startingAt } = record;
  const marks = [
    mark(happenings.exited, trigger.exitedAt),
    mark(happenings.seen, trigger.seenAt),
    mark(happenings.killed, killedAt),
    mark(happenings.lastKilled, lastKilledExit(memory)),
    mark(happenings.dead, deadAt),
    mark(happenings.starting, startingAt),
    ...record.containers.flatMap(marksOfContainer),
  ];
  return marks.flat().toSorted((a, b) => a.at - b.at);
}

function marksOfContainer(container: RestartRecord['containers'][number]): readonly Mark[] {
  const { name, startAskedAt, startedAt, finishedAt } = container;
  return [
    mark(`${name} is asked to start`, startAskedAt),
    mark(`${name} has started`, startedAt),
    mark(`${name} has exited`, finishedAt),
  ].flat();
}

/** The kill came before that, so it bounds the time of the last kill from above. */
function lastKilledExit({ containers }: Memory): number | undefined {
  const exits = Object.values(containers).flatMap(({ lastExit }) =>
    lastExit?.reason === 'RestartingAllContainers' ? (lastExit.finishedAt ?? []) : [],
  );
  return exits.length > 0 ? Math.max(...exits) : undefined;
}

function mark(what: string, at: number | undefined): readonly Mark[] {
  return at === undefined ? [] : [{ what, at }];
}
