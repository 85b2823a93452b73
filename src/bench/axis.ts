/**
 * The axis of times that all charts share: from zero to the largest value, with round numbers.
 */
import { h } from './markup.ts';
import type { Markup } from './markup.ts';

/** Places values on a line of the page. */
export interface Scale {
  readonly ticks: readonly number[];
  readonly at: (value: number) => number;
}

/** From zero at `from` to at least `largest` at `to`, which may be to the left or above. */
export function scaleTo(
  largest: number,
  { from, to }: { readonly from: number; readonly to: number },
): Scale {
  const step = roundStep(largest / 6);
  const count = Math.max(1, Math.ceil(largest / step));
  const ticks = Array.from({ length: count + 1 }, (_, index) => index * step);
  return { ticks, at: (value) => from + ((to - from) * value) / (count * step) };
}

/** The least of 1, 2, 5, 10, 20, 50 ... that is not smaller. */
export function roundStep(atLeast: number): number {
  if (!(atLeast > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(atLeast));
  const factor = [1, 2, 5].find((one) => one * power >= atLeast) ?? 10;
  return factor * power;
}

/** Lines from top to bottom, with their times below. */
export function timeGrid(
  scale: Scale,
  { top, bottom }: { readonly top: number; readonly bottom: number },
): readonly Markup[] {
  return scale.ticks.map((tick) => {
    const x = scale.at(tick);
    const label = { x, y: bottom + 18, 'text-anchor': 'middle', class: 'tick' };
    return h(
      'g',
      {},
      h('line', { x1: x, x2: x, y1: top, y2: bottom, class: 'grid' }),
      h('text', label, `${tick} ms`),
    );
  });
}
