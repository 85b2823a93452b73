/** Keeps an action that failed from being tried again before its time. */
import { subjectOf } from './action.ts';
import { retryAt } from './backoff.ts';
import type { Decision, Look } from './decision.ts';
import { earlier } from './decision.ts';
import type { Memory } from './memory.ts';
import type { Failure } from './observed.ts';

/** The decision without the actions whose time has not come, to be made again when it has. */
export function holdBackRetries({ observed, now }: Look, decision: Decision): Decision {
  const held = decision.actions.flatMap((action) => {
    const failure = observed.failures[subjectOf(action)];
    return failure !== undefined && isInWait(failure, decision.memory, now)
      ? [{ action, until: retryAt(failure) }]
      : [];
  });
  if (held.length === 0) return decision;
  return {
    ...decision,
    actions: decision.actions.filter((action) => held.every((one) => one.action !== action)),
    lookAgainAt: held.reduce<number | undefined>(
      (at, { until }) => earlier(at, until),
      decision.lookAgainAt,
    ),
  };
}

/** Whether what failed so is not to be tried again yet. */
export function isInWait(failure: Failure, { restart }: Memory, now: number): boolean {
  // What failed when it was only made ahead must not keep a restart waiting that needs it now.
  const isOld = failure.at < (restart?.recordedAt ?? 0);
  return !isOld && retryAt(failure) > now;
}
