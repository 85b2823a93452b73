/**
 * Whether init containers can run again: after they have completed, and after a kill in their
 * middle. Pure: all there is to know is how their runs ended, one after another.
 */
import type { Pod } from '../pod/pod.ts';
import { isSidecar } from '../pod/pod.ts';
import type { Life, Run } from './life.ts';

export interface Reentrancy {
  readonly container: string;
  /** `unknown`: it never got the chance to run again. */
  readonly verdict: 'reentrant' | 'not reentrant' | 'unknown';
  /** How often it completed again after it had completed. */
  readonly afterCompleting: number;
  /** How often it completed after it had been killed in its middle. */
  readonly afterKill: number;
  /** The first run that failed though the ones before had not. */
  readonly failure?: { readonly after: 'completing' | 'a kill'; readonly run: Run };
}

/** What the lives of all copies, one after another, say of each init container. */
export function reentrancyOf(pod: Pod, lives: readonly Life[]): readonly Reentrancy[] {
  return pod.spec.initContainers
    .filter((container) => !isSidecar(container))
    .map(({ name }) => {
      const again = lives.flatMap(({ runs }) =>
        runsAgain(runs.filter(({ container }) => container === name)),
      );
      const failure = again.find(({ run }) => isFailure(run));
      const completed = again.filter(({ run }) => run.end?.how === 'completed');
      const afterCompleting = completed.filter(({ after }) => after === 'completing').length;
      const verdict =
        failure !== undefined ? 'not reentrant' : completed.length > 0 ? 'reentrant' : 'unknown';
      return {
        container: name,
        verdict,
        afterCompleting,
        afterKill: completed.length - afterCompleting,
        ...(failure && { failure }),
      };
    });
}

function isFailure({ end }: Run): boolean {
  return end?.how === 'failed' || end?.how === 'hung';
}

/** The runs that found what an earlier one has left, and how that one had ended. */
function runsAgain(
  runs: readonly Run[],
): readonly { readonly after: 'completing' | 'a kill'; readonly run: Run }[] {
  return runs.flatMap((run, index) => {
    // One that failed is not what came before: its retry says nothing of restarts.
    const before = runs
      .slice(0, index)
      .findLast(({ end }) => end?.how === 'completed' || end?.how === 'killed');
    if (before === undefined) return [];
    return [{ after: before.end?.how === 'killed' ? 'a kill' : 'completing', run }];
  });
}
