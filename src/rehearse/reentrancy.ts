/**
 * Whether init containers can run again: after they have completed, and after a kill in their
 * middle. Pure: all there is to know is how their runs ended, one after another.
 */
import type { Pod } from '../pod/pod.ts';
import { isSidecar } from '../pod/pod.ts';
import type { Life, Run } from './life.ts';

export interface Reentrancy {
  readonly container: string;
  /**
   * `fails at times`: as it does when nothing of it ran before, and a later try brought the pod back.
   * `unknown`: it never got the chance to run again.
   */
  readonly verdict: 'reentrant' | 'fails at times' | 'not reentrant' | 'unknown';
  /** How often it completed again after it had completed. */
  readonly afterCompleting: number;
  /** How often it completed after it had been killed in its middle. */
  readonly afterKill: number;
  /** The first run that failed though the ones before had not, and that made the verdict. */
  readonly failure?: { readonly after: 'completing' | 'a kill'; readonly run: Run };
}

/** What the lives of all copies, one after another, say of each init container. */
export function reentrancyOf(
  pod: Pod,
  lives: readonly Life[],
  { allCameBack }: { readonly allCameBack: boolean },
): readonly Reentrancy[] {
  return pod.spec.initContainers
    .filter((container) => !isSidecar(container))
    .map(({ name }) => {
      const runs = lives.flatMap((life) =>
        withPast(life.runs.filter(({ container }) => container === name)),
      );
      const again = runs.filter(({ after }) => after !== 'nothing');
      const completed = again.filter(({ run }) => run.end?.how === 'completed');
      const afterCompleting = completed.filter(({ after }) => after === 'completing').length;
      return {
        container: name,
        ...(judged(runs, allCameBack) ?? {
          verdict: completed.length > 0 ? 'reentrant' : 'unknown',
        }),
        afterCompleting,
        afterKill: completed.length - afterCompleting,
      };
    });
}

/** A run, and how the one before it had ended whose work it found. */
interface RunWithPast {
  readonly after: 'nothing' | 'completing' | 'a kill';
  readonly run: Run;
}

function withPast(runs: readonly Run[]): readonly RunWithPast[] {
  return runs.map((run, index) => {
    // One that failed is not what came before: its retry says nothing of restarts.
    const before = runs
      .slice(0, index)
      .findLast(({ end }) => end?.how === 'completed' || end?.how === 'killed');
    if (before === undefined) return { after: 'nothing', run };
    return { after: before.end?.how === 'killed' ? 'a kill' : 'completing', run };
  });
}

/**
 * The verdict if it has failed again. An init container may well fail until something is there that it
 * waits for: where every restart came back, only a failure unlike those of first runs is held against it.
 */
function judged(
  runs: readonly RunWithPast[],
  allCameBack: boolean,
): Pick<Reentrancy, 'verdict' | 'failure'> | undefined {
  const failed = runs.filter(({ run: { end } }) => end?.how === 'failed' || end?.how === 'hung');
  const atFirst = failed.filter(({ after }) => after === 'nothing');
  const again = failed.flatMap(({ after, run }) => (after === 'nothing' ? [] : [{ after, run }]));
  const unusual = again.find(
    ({ run }) => !allCameBack || !atFirst.some((one) => isAlike(one.run, run)),
  );
  if (unusual !== undefined) return { verdict: 'not reentrant', failure: unusual };
  const [usual] = again;
  return usual && { verdict: 'fails at times', failure: usual };
}

function isAlike({ end: one }: Run, { end: other }: Run): boolean {
  return (
    one?.how === other?.how && one?.exitCode === other?.exitCode && one?.reason === other?.reason
  );
}
