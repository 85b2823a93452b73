/**
 * Tells what is going on, and for how long: some steps take minutes.
 */
import { performance } from 'node:perf_hooks';

/** Prints what is done next. */
export function say(what: string): void {
  console.log(`==> ${what}`);
}

/** Prints what is done, does it, and prints how long it took. */
export async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  say(what);
  const started = performance.now();
  const result = await work();
  console.log(`    took ${((performance.now() - started) / 1000).toFixed(0)} s: ${what}`);
  return result;
}
