/**
 * The pictures of the report, as SVG that takes its colours from the page. Pure.
 */
import { scaleTo, timeGrid } from './axis.ts';
import type { Mark, Method } from './contender.ts';
import { h } from './markup.ts';
import type { Markup } from './markup.ts';
import { medianOf } from './summary.ts';
import { inMs, methodNames } from './wording.ts';

/** All times of a method, in the order of the rounds. */
export interface Series {
  readonly method: Method;
  readonly times: readonly number[];
}

const WIDTH = 860;
const LEFT = 150;
const RIGHT = WIDTH - 80;

/** Every time as a dot, a row for each method, with the median as a line and in words. */
export function dotChart(series: readonly Series[]): Markup {
  const rowHeight = 64;
  const bottom = 10 + series.length * rowHeight;
  const largest = Math.max(...series.flatMap(({ times }) => times));
  const scale = scaleTo(largest, { from: LEFT, to: RIGHT });
  return picture(
    bottom + 28,
    'All times of each method',
    timeGrid(scale, { top: 10, bottom }),
    series.map(({ method, times }, row) => {
      const middle = 10 + (row + 0.5) * rowHeight;
      const median = medianOf(times);
      const x = scale.at(median);
      return h(
        'g',
        { class: method },
        h('text', { x: LEFT - 14, y: middle + 5, 'text-anchor': 'end' }, methodNames[method]),
        times.map((time, index) =>
          h('circle', { cx: scale.at(time), cy: middle + jitter(index), r: 4, class: 'dot' }),
        ),
        h('line', { x1: x, x2: x, y1: middle - 25, y2: middle + 25, class: 'median' }),
        h('text', { x: x + 7, y: middle - 17, class: 'value' }, inMs(median)),
      );
    }),
  );
}

/** A line for each method, from round to round: whether the machine was quiet. */
export function roundsChart(series: readonly Series[]): Markup {
  const bottom = 220;
  const largest = Math.max(...series.flatMap(({ times }) => times));
  const height = scaleTo(largest, { from: bottom, to: 10 });
  const rounds = Math.max(...series.map(({ times }) => times.length));
  const x = (index: number): number =>
    LEFT + ((RIGHT - LEFT) * (index + 0.5)) / Math.max(1, rounds);
  return picture(
    bottom + 28,
    'Times from round to round',
    height.ticks.map((tick) =>
      h(
        'g',
        {},
        h('line', { x1: LEFT, x2: RIGHT, y1: height.at(tick), y2: height.at(tick), class: 'grid' }),
        h(
          'text',
          { x: LEFT - 10, y: height.at(tick) + 4, 'text-anchor': 'end', class: 'tick' },
          `${tick} ms`,
        ),
      ),
    ),
    roundNumbers(rounds).map((round) =>
      h('text', { x: x(round - 1), y: bottom + 18, 'text-anchor': 'middle', class: 'tick' }, round),
    ),
    series.map(({ method, times }) => {
      const points = times.map((time, index) => [x(index), height.at(time)] as const);
      const path = points.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ');
      return h(
        'g',
        { class: method },
        h('polyline', { points: path, class: 'line' }),
        points.map(([cx, cy]) => h('circle', { cx, cy, r: 3, class: 'dot' })),
      );
    }),
  );
}

/** What happens one after the other: each bar reaches from the step before to its own. */
export function courseChart(course: readonly Mark[]): Markup {
  const [rowHeight, left] = [26, 270];
  const bottom = 10 + course.length * rowHeight;
  const largest = Math.max(...course.map(({ at }) => at));
  const scale = scaleTo(largest, { from: left, to: RIGHT - 60 });
  return picture(
    bottom + 28,
    'The course of an in-place restart',
    timeGrid(scale, { top: 10, bottom }),
    course.map(({ what, at }, row) => {
      const before = course[row - 1]?.at ?? 0;
      const y = 10 + row * rowHeight;
      const width = Math.max(1.5, scale.at(at) - scale.at(before));
      return h(
        'g',
        { class: 'in-place' },
        h('text', { x: left - 12, y: y + 18, 'text-anchor': 'end' }, what),
        h('rect', { x: scale.at(before), y: y + 5, width, height: rowHeight - 9, class: 'bar' }),
        h(
          'text',
          { x: Math.max(scale.at(at), scale.at(before) + width) + 6, y: y + 18, class: 'value' },
          `${inMs(at)}  (+${(at - before).toFixed(1)})`,
        ),
      );
    }),
  );
}

function picture(height: number, title: string, ...content: Parameters<typeof h>[2][]): Markup {
  const attributes = { viewBox: `0 0 ${WIDTH} ${height}`, role: 'img', 'aria-label': title };
  return h('svg', attributes, ...content);
}

/** Dots of equal times lie beside each other; the same picture every time. */
function jitter(index: number): number {
  return ((index * 7) % 13) * 2 - 12;
}

function roundNumbers(rounds: number): readonly number[] {
  const step = Math.ceil(rounds / 20);
  return Array.from({ length: Math.floor(rounds / step) }, (_, index) => (index + 1) * step);
}
