/** The runtime's ways to write a time, and ours: milliseconds since 1970 with a fraction. */

const nanosPerMs = 1_000_000;

/** CRI: nanoseconds since 1970 as text; 0 stands for "not yet". */
export function fromNanos(text: string): number | undefined {
  const nanos = BigInt(text);
  if (nanos <= 0n) return undefined;
  const perMs = BigInt(nanosPerMs);
  // Divided as whole numbers first: as a number the nanoseconds would be off by hundreds.
  return Number(nanos / perMs) + Number(nanos % perMs) / nanosPerMs;
}

/** protobuf: seconds and nanoseconds; Go's zero time, in the year 1, stands for "not yet". */
export function fromTimestamp(
  timestamp: { readonly seconds: string; readonly nanos: number } | null,
): number | undefined {
  if (timestamp === null) return undefined;
  const seconds = Number(timestamp.seconds);
  return seconds > 0 ? seconds * 1000 + timestamp.nanos / nanosPerMs : undefined;
}

/**
 * Now, comparable with the times that containerd and the kernel give. The wall clock has whole
 * milliseconds only, the monotonic one a fraction but an origin that drifts from it over days.
 */
export function wallClock(): number {
  const fine = performance.timeOrigin + performance.now();
  const coarse = Date.now();
  return Math.abs(fine - coarse) < 1.5 ? fine : coarse;
}
