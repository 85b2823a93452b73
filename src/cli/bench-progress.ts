/**
 * How far a benchmark has come, on standard error: one line that changes on a terminal, a line per
 * step elsewhere.
 */
import type { Progress } from '../bench/bench.ts';

/** Of plain lines, about this many for all rounds. */
const PLAIN_LINES = 5;
const BAR_WIDTH = 30;

/** Shows progress; leaving its scope ends the line. */
export interface ProgressLine extends Progress, Disposable {
  /** Whether something was told that could not be removed. */
  readonly hasLeftovers: () => boolean;
}

/** Progress on a stream, which is told apart from what others write to it. */
export function progressOn(stream: NodeJS.WriteStream): ProgressLine {
  const leftovers: string[] = [];
  const terminal = stream.isTTY;
  const show = (text: string): void => {
    stream.write(terminal ? `\r\u001b[2K${text}` : `${text}\n`);
  };
  return {
    onStep: (what) => show(what === 'set up' ? 'making pods' : 'removing everything'),
    onRound: ({ kind, count, of }) => {
      const words = kind === 'warm-up' ? 'warm-up' : 'round';
      if (terminal)
        show(`${words} ${count} of ${of}  ${bar(kind === 'round' ? count - 1 : 0, of)}`);
      else if (isMilestone(count, of)) show(`${words} ${count} of ${of}`);
    },
    onLeftover: (what) => {
      leftovers.push(what);
      show(`could not remove ${what}${terminal ? '\n' : ''}`);
    },
    hasLeftovers: () => leftovers.length > 0,
    [Symbol.dispose]: () => {
      if (terminal) stream.write('\r\u001b[2K');
    },
  };
}

function bar(done: number, of: number): string {
  const filled = Math.round((BAR_WIDTH * done) / of);
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}]`;
}

function isMilestone(count: number, of: number): boolean {
  return count === 1 || count === of || count % Math.ceil(of / PLAIN_LINES) === 0;
}
