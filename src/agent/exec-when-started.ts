/**
 * Runs a command in a container that has only just started.
 *
 * The event of a start comes before containerd has noted that the container runs: with 1.6.20 a command
 * that comes in between is refused, and would count as a failed hook, or as a probe that found nothing.
 */
import { RuntimeCallError } from '../runtime/call.ts';
import type { Cri } from '../runtime/cri.ts';
import { sleep } from '../timers.ts';

const notYetStarted = /is in CONTAINER_CREATED state/;
const ASK_AGAIN_MS = 10;

/** Like `execSync`; as long as the command may take, so long may it be refused for coming too early. */
export async function execWhenStarted(
  cri: Pick<Cri, 'execSync'>,
  id: string,
  command: readonly string[],
  timeoutSeconds: number,
  signal: AbortSignal,
): ReturnType<Cri['execSync']> {
  const patienceMs = timeoutSeconds === 0 ? Infinity : timeoutSeconds * 1000;
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      return await cri.execSync(id, command, timeoutSeconds, signal);
    } catch (error) {
      const isEarly = error instanceof RuntimeCallError && notYetStarted.test(error.details);
      if (!isEarly || performance.now() >= until) throw error;
    }
    await sleep(ASK_AGAIN_MS, signal);
  }
}
