/** Timelines as waterfalls of characters, for a terminal. */
import type { Timeline } from './timeline.ts';
import { ms, titleOf, tookInWords } from './timeline.ts';

/** One timeline; `columns` is the width there is. */
export function timelineText(timeline: Timeline, columns = 100): string {
  const names = Math.max(...timeline.spans.map(({ name }) => name.length));
  const numbers = 20;
  const width = Math.max(10, columns - names - numbers - 4);
  const perMs = width / Math.max(timeline.totalMs, 1);
  const rows = timeline.spans.map((span) => {
    const { name, kind, startMs, endMs } = span;
    const from = Math.min(width - 1, Math.floor(startMs * perMs));
    const length = Math.max(1, Math.min(width - from, Math.round((endMs - startMs) * perMs)));
    const mark = startMs > timeline.totalMs ? '▶' : '◆';
    const shape = kind === 'mark' ? mark : '█'.repeat(length);
    const bar = `${' '.repeat(from)}${shape}`.padEnd(width);
    const took = kind === 'mark' ? '' : tookInWords(span);
    const times = `+${ms(startMs)}`.padStart(numbers / 2) + took.padStart(numbers / 2);
    return `  ${name.padEnd(names)}  ${bar}${times}`.trimEnd();
  });
  return [titleOf(timeline), ...rows].join('\n');
}
