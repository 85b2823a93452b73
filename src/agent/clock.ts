/**
 * The agent's clock: what everything that waits is measured by, and what statuses and events show.
 *
 * A wall clock jumps: NTP sets it, a machine is suspended. Set back by two hours, the next probe would come
 * in two hours; set ahead by a little, graces would be over early and SIGKILL due. So this one starts with
 * the wall clock and then runs with the monotonic one; what it is off by it makes up by running a tenth
 * faster or slower. Meanwhile it shows times that are off, which is the lesser evil: a wait is off by a tenth
 * at most, and times of the runtime are brought onto this clock before they are compared with it. Only what
 * is more than a minute behind jumps, ahead: then the machine was suspended, or the clock had never been set,
 * and waits that are over at once are better than wrong times for hours. It never goes back; what an agent
 * remembers from before its start may lie ahead, though: pod/past.ts.
 */
import { wallClock } from '../runtime/time.ts';

const CORRECTION = 0.1;
const LATE_MS = 60_000;

export interface Clock {
  /** Milliseconds since 1970, with a fraction. */
  readonly now: () => number;
  /** A time that somebody else has read from the wall clock, on this clock; never later than now. */
  readonly fromWall: (time: number) => number;
}

/** A clock that starts now. */
export function steadyClock(
  wall: () => number = wallClock,
  monotonic: () => number = () => performance.now(),
): Clock {
  let at = wall();
  let ahead = 0;
  let readAt = monotonic();
  const now = (): number => {
    const read = monotonic();
    const ran = Math.max(0, read - readAt);
    const off = wall() - (at + ran);
    const most = ran * CORRECTION;
    const correction = off > LATE_MS ? off : Math.min(Math.max(off, -most), most);
    at += ran + correction;
    ahead = correction - off;
    readAt = read;
    return at;
  };
  const fromWall = (time: number): number => Math.min(now(), time + ahead);
  return { now, fromWall };
}
