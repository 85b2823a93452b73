/** Timelines as one SVG: a waterfall each, with nothing from outside it. */
import type { Span, Timeline } from './timeline.ts';
import { ms, titleOf, tookInWords } from './timeline.ts';

const WIDTH = 960;
const LABELS = 220;
const NUMBERS = 150;
const ROW = 22;
const HEAD = 52;
const GAP = 28;

const colours: Readonly<Record<Span['kind'], string>> = {
  detect: '#8e9aaf',
  record: '#5c6b8a',
  kill: '#c8553d',
  wait: '#d9d9d9',
  create: '#8cc0d0',
  start: '#2a7f9e',
  hook: '#9a77b8',
  probe: '#c3a6d8',
  run: '#7fb069',
  mark: '#222222',
};

/** All timelines below each other. */
export function timelineSvg(timelines: readonly Timeline[]): string {
  const heights = timelines.map(({ spans }) => HEAD + spans.length * ROW + GAP);
  const total = heights.reduce((sum, height) => sum + height, 0);
  const parts = timelines.map((timeline, index) => {
    const top = heights.slice(0, index).reduce((sum, height) => sum + height, 0);
    return `<g transform="translate(0 ${top})">${waterfall(timeline)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${total}" width="${WIDTH}" height="${total}"`,
    ` font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${total}" fill="white"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function waterfall(timeline: Timeline): string {
  const plot = WIDTH - LABELS - NUMBERS;
  const perMs = plot / Math.max(timeline.totalMs, 1);
  const bottom = HEAD + timeline.spans.length * ROW;
  const grid = ticks(timeline.totalMs).map((at) => {
    const x = LABELS + at * perMs;
    return (
      `<line x1="${x}" x2="${x}" y1="${HEAD - 6}" y2="${bottom}" stroke="#e4e4e4"/>` +
      `<text x="${x}" y="${HEAD - 10}" text-anchor="middle" fill="#777">${at}</text>`
    );
  });
  const rows = timeline.spans.map((span, index) => {
    const { name, kind, startMs, endMs } = span;
    const y = HEAD + index * ROW;
    const from = LABELS + startMs * perMs;
    const took = kind === 'mark' ? '' : `, ${tookInWords(span)}`;
    return (
      `<text x="${LABELS - 10}" y="${y + 14}" text-anchor="end">${escaped(name)}</text>` +
      (kind === 'mark'
        ? markAt(Math.min(from, LABELS + plot), y, startMs > timeline.totalMs)
        : bar(span, from, y, (endMs - startMs) * perMs)) +
      `<text x="${WIDTH - NUMBERS + 10}" y="${y + 14}" fill="#555">+${ms(startMs)}${escaped(took)}</text>`
    );
  });
  const title = `<text x="10" y="20" font-weight="600" font-size="13">${escaped(titleOf(timeline))}</text>`;
  return [title, ...grid, ...rows].join('\n');
}

function bar({ kind, isOpen }: Span, x: number, y: number, width: number): string {
  // What has not ended is frayed.
  const end = isOpen === true ? ' fill-opacity="0.4" stroke="#222" stroke-dasharray="3"' : '';
  return (
    `<rect x="${x}" y="${y + 3}" width="${Math.max(1.5, width)}" height="${ROW - 8}" rx="2"` +
    ` fill="${colours[kind]}"${end}/>`
  );
}

/** A diamond; an arrow for what lies beyond the end of the scale. */
function markAt(x: number, y: number, isBeyond: boolean): string {
  const shape = isBeyond ? 'm-4 -6l8 6l-8 6z' : 'm0 -6l6 6l-6 6l-6 -6z';
  return `<path d="M${x} ${y + 10}${shape}" fill="${colours.mark}"/>`;
}

/** Four to ten round numbers of milliseconds. */
function ticks(totalMs: number): number[] {
  const rough = Math.max(totalMs, 1) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.floor(totalMs / step) + 1 }, (_, index) => index * step);
}

/** Text for XML; pod and container names come from users. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
