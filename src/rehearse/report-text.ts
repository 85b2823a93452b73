/**
 * A rehearsal told in lines: one for each restart as it happens, and what it all means at the end.
 *
 * What comes from the pod (messages, logs) is passed on as it is: whoever prints it makes it safe.
 */
import { formatDuration } from '../pod/duration.ts';
import type {
  FailureReport,
  Hit,
  InitReport,
  RehearsalReport,
  RestartReport,
  Summary,
} from './report.ts';

export interface Line {
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'bad';
}

/** How the first start of a copy went. */
export function startLine(tookMs: number): Line {
  return { text: `it starts: all is up after ${msInWords(tookMs)}`, tone: 'plain' };
}

/** One restart, of so many. */
export function restartLines(report: RestartReport, of: number): readonly Line[] {
  const { number, hit, outcome, tookMs, failure } = report;
  const width = String(of).length;
  const head = `restart ${String(number).padStart(width)}/${of}  ${hitInWords(hit).padEnd(42)}`;
  const took = tookMs === undefined ? '' : ` in ${msInWords(tookMs)}`;
  switch (outcome) {
    case 'back':
      return [{ text: `${head}  back${took}`, tone: 'good' }];
    case 'completed':
      return [{ text: `${head}  back${took}, and then done: Succeeded`, tone: 'good' }];
    case 'cut-short':
      return [{ text: `${head}  cut short by the next one`, tone: 'plain' }];
    case 'not-back': {
      const lines = failure === undefined ? [] : failureLines(failure, '    ');
      return [{ text: `${head}  NOT BACK`, tone: 'bad' }, ...lines];
    }
    default:
      return outcome satisfies never;
  }
}

/** A copy that did not even come up. */
export function startFailureLines(failure: FailureReport): readonly Line[] {
  return [
    { text: 'it does not start, though nobody has restarted it', tone: 'bad' },
    ...failureLines(failure, '    '),
  ];
}

/** What it all means. */
export function summaryLines(report: RehearsalReport): readonly Line[] {
  const { summary, initContainers, seed, pod, startFailure } = report;
  const verdict: Line = summary.survives
    ? { text: `${pod} survives being restarted in place`, tone: 'good' }
    : { text: `${pod} does not survive being restarted in place`, tone: 'bad' };
  const again: Line = {
    text: `the same moments again: --seed ${seed} --restarts ${report.asked}`,
    tone: 'plain',
  };
  if (startFailure !== undefined && summary.judged === 0) return [];
  return [
    { text: '', tone: 'plain' },
    countLine(summary),
    ...initContainers.flatMap(initLines),
    verdict,
    again,
  ];
}

function countLine({ judged, cameBack, cutShort, medianMs, worstMs }: Summary): Line {
  const times =
    medianMs === undefined || worstMs === undefined
      ? ''
      : `; took ${msInWords(medianMs)} (median), ${msInWords(worstMs)} (worst)`;
  const cut = cutShort === 0 ? '' : `; ${cutShort} more cut short by the next one, as planned`;
  return {
    text: `came back after ${cameBack} of ${judged} restarts${times}${cut}`,
    tone: 'plain',
  };
}

function initLines(report: InitReport): readonly Line[] {
  const { container, verdict, failure } = report;
  const name = `init container "${container}"`;
  switch (verdict) {
    case 'not reentrant': {
      const text = `${name} is NOT REENTRANT: ${failure === undefined ? 'a run after an earlier one failed' : nextRun(failure)}`;
      return [{ text, tone: 'bad' }, ...(failure === undefined ? [] : logLines(failure, '    '))];
    }
    case 'fails at times': {
      const end = failure === undefined ? '' : `: it ${endInWords(failure)}, as in a first start`;
      return [{ text: `${name} fails at times, and comes back${end}`, tone: 'plain' }];
    }
    case 'reentrant':
      return [{ text: `${name} is reentrant: ${ranAgain(report)}`, tone: 'good' }];
    case 'unknown': {
      const text = `${name}: not known whether it is reentrant, as it never ran again to its end`;
      return [{ text, tone: 'plain' }];
    }
    default:
      return verdict satisfies never;
  }
}

function nextRun(failure: NonNullable<InitReport['failure']>): string {
  const earlier =
    failure.after === 'a kill' ? 'it had been killed in its middle' : 'it had completed';
  return `after ${earlier}, its next run ${endInWords(failure)}`;
}

function endInWords({ exitCode, reason }: FailureReport): string {
  return exitCode === undefined
    ? 'did not end'
    : `exited with code ${exitCode} (${reason ?? 'Error'})`;
}

function ranAgain({ afterCompleting, afterKill }: InitReport): string {
  const killed =
    afterKill > 0
      ? `${times(afterKill)} after a kill in its middle`
      : 'but was never killed in its middle (more --restarts may hit it)';
  return `ran again ${times(afterCompleting)} after completing, ${killed}`;
}

function failureLines(failure: FailureReport, indent: string): readonly Line[] {
  return [
    { text: `${indent}${failureInWords(failure)}`, tone: 'bad' },
    ...logLines(failure, indent),
  ];
}

function logLines({ log }: FailureReport, indent: string): readonly Line[] {
  if (log === undefined) return [];
  const lines = log.length === 0 ? ['its log is empty'] : ['the end of its log:', ...log];
  return lines.map((line, index) => ({
    text: `${indent}${index === 0 ? '' : '  '}${line}`,
    tone: 'plain',
  }));
}

function failureInWords(failure: FailureReport): string {
  const { why, container, kind, exitCode, reason, message } = failure;
  const more = message === undefined || message === '' ? '' : `: ${message.trim()}`;
  if (container === undefined) return `${why}${reason === undefined ? '' : ` (${reason})`}${more}`;
  const who = `${kindInWords(kind)} "${container}"`;
  if (exitCode !== undefined) {
    return `${why}: ${who} exited with code ${exitCode} (${reason ?? 'Error'})${more}`;
  }
  if (reason === 'Hung') return `${why}: ${who} does not end`;
  return `${why}: ${who} does not run${more}`;
}

function kindInWords(kind: string | undefined): string {
  if (kind === 'init') return 'init container';
  return kind === 'sidecar' ? 'sidecar' : 'container';
}

function hitInWords({ kind, container, afterMs }: Hit): string {
  const after = msInWords(afterMs);
  switch (kind) {
    case 'running':
      return `hit ${after} after all was up`;
    case 'init':
      return `hit ${after} into init "${container ?? '?'}"`;
    case 'starting':
      return `hit ${after} into its start`;
    default:
      return kind satisfies never;
  }
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function msInWords(ms: number): string {
  return formatDuration(Math.round(ms));
}
