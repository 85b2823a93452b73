/**
 * Why a copy is not back, and what each failed run of a container has said at its end.
 */
import type { Copy } from './copy.ts';
import { currentRun, statusesOf } from './life.ts';
import type { Run } from './life.ts';
import type { FailureReport } from './report.ts';
import type { Outcome } from './step.ts';

/** Why it is not back, with the log of the container to blame. */
export async function failureOf(copy: Copy, outcome: Outcome): Promise<FailureReport | undefined> {
  if (outcome.kind !== 'not-back') return undefined;
  const { why, culprit } = outcome;
  if (culprit === undefined) {
    const { reason, message } = copy.life.pod.status;
    return { why, reason, message };
  }
  const { container, kind, waiting } = culprit;
  const run = culprit.run ?? currentRun(copy.life, container);
  if (run === undefined) {
    return { why, container, kind, message: await whyNotStarted(copy, container, waiting) };
  }
  const log = await copy.lastLines(run);
  if (run.end === undefined) {
    copy.giveUp(run);
    return { why, container, kind, reason: 'Hung', message: waiting, log };
  }
  return { why, container, kind, ...endOf(copy, run), log };
}

/** What a container waits for it says itself; or else the pod does, or what happened to it last. */
async function whyNotStarted(
  copy: Copy,
  container: string,
  waiting: string | undefined,
): Promise<string | undefined> {
  const { pod } = copy.life;
  if (statusesOf(pod).get(container)?.state.waiting?.message !== undefined) return waiting;
  const scheduled = pod.status.conditions.find(({ type }) => type === 'PodScheduled');
  const more = scheduled?.status === 'False' ? scheduled.message : await copy.lastWarning();
  return [waiting, more].filter((part) => part !== undefined).join(': ') || undefined;
}

/** Its last words may have come after its end. */
function endOf(copy: Copy, { id }: Run): Pick<FailureReport, 'exitCode' | 'reason' | 'message'> {
  const end = copy.life.runs.find((one) => one.id === id)?.end;
  return { exitCode: end?.exitCode, reason: end?.reason, message: end?.message };
}

/** Adds every run that has failed, by its id, while its log can be read: as long as the copy is there. */
export async function keepFailures(
  copy: Copy,
  failures: Map<string, FailureReport>,
): Promise<void> {
  for (const run of copy.life.runs) {
    const how = run.end?.how;
    if ((how !== 'failed' && how !== 'hung') || failures.has(run.id)) continue;
    const { container, kind } = run;
    const log = await copy.lastLines(run);
    const why = how === 'hung' ? 'timed out' : 'it failed';
    const end = how === 'hung' ? { reason: 'Hung' } : endOf(copy, run);
    failures.set(run.id, { why, container, kind, ...end, log });
  }
}
