/** Hands news to all workers that there are. */
import type { Logger } from '../log.ts';
import { podKey } from '../pod/pod.ts';
import type { Pod } from '../pod/pod.ts';

/** Tells each one; where that fails for a pod, a defect of ours, the others are told all the same. */
export function tellEach<Worker extends { readonly pod: Pod }>(
  workers: readonly Worker[],
  tell: (worker: Worker) => void,
  log: Pick<Logger, 'error'>,
): void {
  for (const worker of workers) {
    try {
      tell(worker);
    } catch (error) {
      const pod = podKey(worker.pod);
      log.error({ err: error, pod }, 'could not tell this pod what has changed around it');
    }
  }
}
