/**
 * Durations as options take them.
 */
import { InvalidArgumentError } from 'commander';
import type { Option } from 'commander';
import { formatDuration, parseDuration } from '../pod/duration.ts';

/** Reads an option's duration within bounds; what is wrong with it becomes a usage error. */
export function durationOption(bounds: { minMs?: number; maxMs?: number } = {}) {
  const { minMs = 0, maxMs = Infinity } = bounds;
  return (text: string): number => {
    const ms = parseDuration(text);
    if (ms === undefined) {
      throw new InvalidArgumentError('It must be a duration such as 500ms, 30s or 1m30s.');
    }
    if (ms < minMs) throw new InvalidArgumentError(`It must be at least ${formatDuration(minMs)}.`);
    if (ms > maxMs) throw new InvalidArgumentError(`It must be at most ${formatDuration(maxMs)}.`);
    return ms;
  };
}

/** Gives an option its default, which the help shows as it could be typed. */
export function durationDefault(option: Option, ms: number): Option {
  return option.default(ms, formatDuration(ms));
}

/** Reads an option's whole number of at least `min`, and at most `max`. */
export function wholeNumberOption(min: number, max = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    if (/^-?\d+$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
    const bounds = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new InvalidArgumentError(`It must be a whole number ${bounds}.`);
  };
}
