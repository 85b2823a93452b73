/** Keeps an action that failed from being tried again before its time. */
import { subjectOf } from './action.ts';
import { retryAt } from './backoff.ts';
import type { Decision, Look } from './decision.ts';
import { earlier } from './decision.ts';

/** The decision without the actions whose time has not come, to be made again when it has. */
export function holdBackRetries({ observed, now }: Look, decision: Decision): Decision {
  const held = decision.actions.flatMap((action) => {
    const failure = observed.failures[subjectOf(action)];
    // What failed when it was only made ahead must not keep a restart waiting that needs it now.
    const isOld = failure !== undefined && failure.at < (decision.memory.restart?.recordedAt ?? 0);
    return failure !== undefined && !isOld && retryAt(failure) > now
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
