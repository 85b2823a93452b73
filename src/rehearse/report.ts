/**
 * What a rehearsal has found, as plain data: it is also the JSON that is printed.
 */
import type { Outcome } from './step.ts';

export interface RehearsalReport {
  /** `namespace/name` of the pod, and of the copy that was run. */
  readonly pod: string;
  readonly copy: string;
  readonly seed: number;
  readonly settleMs: number;
  readonly timeoutMs: number;
  /** Restarts that were asked for; fewer were made where one of them ended it. */
  readonly asked: number;
  readonly restarts: readonly RestartReport[];
  /** The first start of a copy that did not come up. */
  readonly startFailure?: FailureReport;
  readonly initContainers: readonly InitReport[];
  readonly summary: Summary;
}

export interface RestartReport {
  /** From 1. */
  readonly number: number;
  readonly generation: number;
  readonly hit: Hit;
  readonly outcome: Outcome['kind'];
  /** From the request to the start of the last container, by the agent's own record. */
  readonly tookMs?: number;
  readonly failure?: FailureReport;
}

/** What the pod was doing when it was hit. */
export interface Hit {
  readonly kind: 'running' | 'init' | 'starting';
  /** The init container that was killed in its middle. */
  readonly container?: string;
  /** Since it was up, since that container ran, or since the start began. */
  readonly afterMs: number;
}

export interface FailureReport {
  readonly why: string;
  readonly container?: string;
  readonly kind?: string;
  readonly exitCode?: number;
  readonly reason?: string;
  readonly message?: string;
  /** Its last lines; absent: it did not run. */
  readonly log?: readonly string[];
}

export interface InitReport {
  readonly container: string;
  /** `fails at times`: in first starts, too, and every restart came back. */
  readonly verdict: 'reentrant' | 'fails at times' | 'not reentrant' | 'unknown';
  readonly afterCompleting: number;
  readonly afterKill: number;
  readonly failure?: FailureReport & { readonly after: 'completing' | 'a kill' };
}

export interface Summary {
  /** Restarts that were given the time to come back. */
  readonly judged: number;
  readonly cameBack: number;
  readonly cutShort: number;
  readonly medianMs?: number;
  readonly worstMs?: number;
  /** All came back, and no init container was found not to be reentrant. */
  readonly survives: boolean;
}

/** The sum of it. */
export function summarize(
  report: Pick<RehearsalReport, 'restarts' | 'startFailure' | 'initContainers'>,
): Summary {
  const { restarts, startFailure, initContainers } = report;
  const judged = restarts.filter(({ outcome }) => outcome !== 'cut-short');
  const back = judged.filter(({ outcome }) => outcome !== 'not-back');
  const times = back.flatMap(({ tookMs }) => tookMs ?? []).toSorted((a, b) => a - b);
  return {
    judged: judged.length,
    cameBack: back.length,
    cutShort: restarts.length - judged.length,
    medianMs: medianOf(times),
    worstMs: times.at(-1),
    survives:
      startFailure === undefined &&
      judged.length > 0 &&
      back.length === judged.length &&
      initContainers.every(({ verdict }) => verdict !== 'not reentrant'),
  };
}

function medianOf(sorted: readonly number[]): number | undefined {
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
