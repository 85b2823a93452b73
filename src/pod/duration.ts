/**
 * Durations as Go writes and reads them ("1m30s", "500ms"), which is how Kubernetes shows them.
 */

const UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Go counts nanoseconds in 64 bits: 292 years. */
const MAX_MS = 2 ** 63 / 1e6;
/** Each unit once, with more digits than a number can hold. */
const MAX_LENGTH = 200;

/**
 * Milliseconds of a Go duration ("30s", "1m30s", "500ms", "0"); undefined if it is none, or none that
 * Go could hold.
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (text.length > MAX_LENGTH || !/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text))
    return undefined;
  const ms = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (UNITS_MS[unit ?? ''] ?? NaN),
    0,
  );
  return ms < MAX_MS ? ms : undefined;
}

/** A duration as Go prints it: `10s`, `2m40s`, `1h0m0s`, `1.5s`, `150ms`; exact to the microsecond. */
export function formatDuration(ms: number): string {
  const us = Math.round(ms * 1000);
  if (us > 0 && us < 1_000) return `${us}µs`;
  if (us > 0 && us < 1_000_000) return `${us / 1_000}ms`;
  const minutes = Math.floor(us / 60_000_000);
  const [h, m, s] = [Math.floor(minutes / 60), minutes % 60, (us % 60_000_000) / 1_000_000];
  if (h > 0) return `${h}h${m}m${s}s`;
  return m > 0 ? `${m}m${s}s` : `${s}s`;
}
