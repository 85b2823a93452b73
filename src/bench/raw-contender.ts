/**
 * The two ways without an agent: the naive floor, and full re-creation. Both restart the same pods,
 * in turns; after either of them the pods are as they were.
 *
 * The naive floor is fixed, so that nobody can flatter himself: poll the trigger's status every 2 ms
 * until it has exited; StopContainer with timeout 0 for all at once; RemoveContainer for all at once;
 * then for each container in order CreateContainer and StartContainer, and for init containers poll
 * until exited. Re-creation is the same with StopPodSandbox, RemovePodSandbox and RunPodSandbox in
 * between. Many pods are restarted side by side, and one list tells the exits of all (exit-poll.ts).
 */
import type { Cri } from '../runtime/cri.ts';
import type { Contender, PodRecord } from './contender.ts';
import { ExitPoll } from './exit-poll.ts';
import type { RawPod } from './raw-pod.ts';
import { allSettled } from './settled.ts';

type RawMethod = 'naive' | 're-creation';

/** One of the two ways to restart these pods. */
export function rawContender(
  method: RawMethod,
  cri: Cri,
  pods: Contender['pods'],
  rawPods: readonly RawPod[],
): Contender {
  return {
    method,
    pods,
    settle: () => {
      for (const pod of rawPods) pod.prepare();
      return Promise.resolve();
    },
    restart: async (signal): Promise<readonly PodRecord[]> => {
      const exits = new ExitPoll(cri, signal);
      await allSettled(
        rawPods.map((pod) =>
          method === 'naive'
            ? pod.replaceContainers(exits, signal)
            : pod.replaceSandbox(exits, signal),
        ),
      );
      return rawPods.map(() => ({ marks: [] }));
    },
  };
}
