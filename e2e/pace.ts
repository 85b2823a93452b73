/** How fast the machine is that the tests run on: a slow one gets more time, and less to do. */

/** Slow machines (an emulated one, a loaded one) get more time for everything. */
export const timeScale = Number(process.env.REPRISE_TEST_TIME_SCALE ?? '1');

/** Seconds between two looks of a shell that waits for something: each is a process more. */
export const blink = Math.min(0.05 * timeScale, 0.5);

/** Long enough for a busy machine: what hangs is found as well after minutes as after seconds. */
export const PATIENCE_MS = 180_000;
