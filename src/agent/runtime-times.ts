/** Brings the times that the runtime tells onto the agent's clock: containerd reads the wall clock. */
import type { RuntimeEvent } from '../runtime/events.ts';
import type { Clock } from './clock.ts';
import type { FullLook } from './view.ts';

type FromWall = Clock['fromWall'];

export function eventOnClock(event: RuntimeEvent, fromWall: FromWall): RuntimeEvent {
  switch (event.kind) {
    case 'exit':
      return { ...event, exitedAt: fromWall(event.exitedAt), seenAt: fromWall(event.seenAt) };
    case 'start':
      return { ...event, startedAt: fromWall(event.startedAt) };
    case 'create':
    case 'oom':
    case 'image':
    case 'connected':
    case 'lost':
      return event;
    default:
      return event satisfies never;
  }
}

export function lookOnClock(look: FullLook, fromWall: FromWall): FullLook {
  const onClock = (time: number | undefined) => (time === undefined ? undefined : fromWall(time));
  const instances = look.instances.map((one) => ({
    ...one,
    createdAt: onClock(one.createdAt),
    startedAt: onClock(one.startedAt),
    ...(one.exit && { exit: { ...one.exit, finishedAt: fromWall(one.exit.finishedAt) } }),
  }));
  return { ...look, instances };
}
