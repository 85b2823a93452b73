/**
 * Timelines as one SVG: a waterfall each, with nothing from outside it. Letters are all of one width, so that
 * what a text takes can be counted: names may be as long as Kubernetes lets them be.
 */
import type { Span, Timeline } from './timeline.ts';
import { causeInWords, ms, outcomeInWords, tookInWords } from './timeline.ts';

const PLOT = 590;
const ROW = 22;
const LINE = 18;
/** Three lines and the numbers of the scale. */
const HEAD = 3 * LINE + 34;
const GAP = 28;
const MARGIN = 10;
const FONT = 12;
/** Monospaced fonts have 0.55 to 0.61 of their size. */
const LETTER = FONT * 0.61;
/** `+99999 ms, >99999 ms` */
const NUMBERS = 20 * LETTER + 2 * MARGIN;

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
  const names = timelines.flatMap(({ spans }) => spans.map(({ name }) => name.length));
  const labels = Math.ceil(Math.max(0, ...names) * LETTER) + 2 * MARGIN;
  const width = Math.ceil(labels + PLOT + NUMBERS);
  const heights = timelines.map(({ spans }) => HEAD + spans.length * ROW + GAP);
  const total = heights.reduce((sum, height) => sum + height, 0);
  const parts = timelines.map((timeline, index) => {
    const top = heights.slice(0, index).reduce((sum, height) => sum + height, 0);
    return `<g transform="translate(0 ${top})">${heading(timeline, width)}\n${waterfall(timeline, labels)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${total}" width="${width}" height="${total}"`,
    ` font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${FONT}">`,
    `<rect width="${width}" height="${total}" fill="white"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function heading(timeline: Timeline, width: number): string {
  const lines = [
    `Generation ${timeline.generation} of ${timeline.pod}`,
    causeInWords(timeline),
    outcomeInWords(timeline),
  ];
  const weights = [' font-weight="600"', '', ''];
  return lines
    .map((line, index) => {
      const at = `x="${MARGIN}" y="${(index + 1) * LINE}"${weights[index] ?? ''}`;
      return `<text ${at}>${fitting(line, width - 2 * MARGIN)}</text>`;
    })
    .join('\n');
}

/** As much of a text as there is room for; all of it shows under the pointer. */
function fitting(text: string, width: number): string {
  const room = Math.floor(width / LETTER);
  if (text.length <= room) return escaped(text);
  return `${escaped(text.slice(0, room - 1))}…<title>${escaped(text)}</title>`;
}

function waterfall(timeline: Timeline, labels: number): string {
  const perMs = PLOT / Math.max(timeline.totalMs, 1);
  const bottom = HEAD + timeline.spans.length * ROW;
  const grid = ticks(timeline.totalMs).map((at) => {
    const x = pixels(labels + at * perMs);
    return (
      `<line x1="${x}" x2="${x}" y1="${HEAD - 6}" y2="${bottom}" stroke="#e4e4e4"/>` +
      `<text x="${x}" y="${HEAD - 10}" text-anchor="middle" fill="#777">${tickInWords(at, timeline.totalMs)}</text>`
    );
  });
  const rows = timeline.spans.map((span, index) => {
    const { name, kind, startMs, endMs } = span;
    const y = HEAD + index * ROW;
    const from = labels + startMs * perMs;
    const took = kind === 'mark' ? '' : `, ${tookInWords(span)}`;
    return (
      `<text x="${labels - MARGIN}" y="${y + 14}" text-anchor="end">${escaped(name)}</text>` +
      (kind === 'mark'
        ? markAt(Math.min(from, labels + PLOT), y, startMs > timeline.totalMs)
        : bar(span, from, y, (endMs - startMs) * perMs)) +
      `<text x="${labels + PLOT + MARGIN}" y="${y + 14}" fill="#555">+${ms(startMs)}${escaped(took)}</text>`
    );
  });
  return [...grid, ...rows].join('\n');
}

function bar({ kind, isOpen }: Span, x: number, y: number, width: number): string {
  // What has not ended is frayed.
  const end = isOpen === true ? ' fill-opacity="0.4" stroke="#222" stroke-dasharray="3"' : '';
  return (
    `<rect x="${pixels(x)}" y="${y + 3}" width="${pixels(Math.max(1.5, width))}" height="${ROW - 8}" rx="2"` +
    ` fill="${colours[kind]}"${end}/>`
  );
}

/** A diamond; an arrow for what lies beyond the end of the scale. */
function markAt(x: number, y: number, isBeyond: boolean): string {
  const shape = isBeyond ? 'm-4 -6l8 6l-8 6z' : 'm0 -6l6 6l-6 6l-6 -6z';
  return `<path d="M${pixels(x)} ${y + 10}${shape}" fill="${colours.mark}"/>`;
}

/** Four to ten round numbers of milliseconds. */
function ticks(totalMs: number): number[] {
  const rough = Math.max(totalMs, 1) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.floor(totalMs / step) + 1 }, (_, index) => index * step);
}

/** One unit for the whole scale. */
function tickInWords(at: number, totalMs: number): string {
  return totalMs < 10_000 ? `${pixels(at)} ms` : `${pixels(at / 1000)} s`;
}

/** Two digits are enough, for a picture and for its scale. */
function pixels(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Text for XML, which has no control characters at all; names and words come from users. */
export function escaped(text: string): string {
  return text
    .replace(NOT_IN_XML, '\uFFFD')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const NOT_IN_XML = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;
