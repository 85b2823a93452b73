/** How fast the machine is that the tests run on: a slow one gets more time, and less to do. */

/** Slow machines (an emulated one, a loaded one) get more time for everything. */
export const timeScale = Number(process.env.REPRISE_TEST_TIME_SCALE ?? '1');

/** Seconds between two looks at something that is waited for. */
export const blink = Math.min(0.05 * timeScale, 0.5);

/**
 * Teaches a shell to \`nap\` for a blink. A \`sleep\` would be a process for each look, in each of many
 * containers; this waits for a pipe that nobody writes to, under a name that no other container has.
 */
export const napping = `
pipe=$(mktemp -u /dev/shm/XXXXXX); mkfifo $pipe; exec 3<>$pipe; rm $pipe
nap() { read -r -t ${blink} nothing <&3; }`;

/** Long enough for a busy machine: what hangs is found as well after minutes as after seconds. */
export const PATIENCE_MS = 180_000;
