/**
 * When to restart next: a random plan, made beforehand, so that a seed tells it all. Pure.
 *
 * A restart that comes while the pod starts cuts the restart before it short. So two of these never
 * follow each other: what each has broken is seen in a start that nothing disturbs. Init containers
 * are over in a blink and run for days are not: most moments are chosen among them, in turn.
 *
 * Read next: step.ts, which turns a moment into a time.
 */
import { randomFrom, shuffled } from './random.ts';
import type { Random } from './random.ts';

/** A moment in the life of a pod; `fraction` says how far into it, at least 0 and less than 1. */
export type Moment =
  /** It has come back and runs. */
  | { readonly kind: 'running'; readonly fraction: number }
  /** This init container runs. */
  | { readonly kind: 'init'; readonly container: string; readonly fraction: number }
  /** All is running, but not for long yet. */
  | { readonly kind: 'just-up'; readonly fraction: number };

export interface PlanOptions {
  readonly restarts: number;
  readonly seed: number;
  /** Names of the init containers; sidecars are none. */
  readonly inits: readonly string[];
}

/** How often a restart cuts the one before short, where it may. */
const CUT_SHORT = 0.7;

/** A moment for each restart. The first one comes when the pod runs: it has to be known to start. */
export function planMoments({ restarts, seed, inits }: PlanOptions): readonly Moment[] {
  const random = randomFrom(seed);
  // Every init container comes first, so that few restarts, too, hit each of them.
  const turns = inTurn([...inits, undefined], [...shuffled(inits, random), undefined], random);
  const moments: Moment[] = [];
  const toHit = new Set(inits);
  while (moments.length < restarts) {
    const before = moments.at(-1);
    const mayCut = before?.kind === 'running';
    // At most every other one from here can cut: chance decides while that is more than is needed.
    const couldCut = Math.ceil((restarts - moments.length) / 2);
    const mustCut = toHit.size > 0 && toHit.size >= couldCut;
    const cuts = random() < CUT_SHORT;
    const fraction = random();
    if (!mayCut || (!cuts && !mustCut)) {
      moments.push({ kind: 'running', fraction });
      continue;
    }
    const container = turns();
    if (container !== undefined) toHit.delete(container);
    moments.push(
      container === undefined
        ? { kind: 'just-up', fraction }
        : { kind: 'init', container, fraction },
    );
  }
  return moments;
}

/** Each of them once in the first order, then in a random one, and so on. */
function inTurn<T>(items: readonly T[], first: readonly T[], random: Random): () => T | undefined {
  let left = [...first];
  return () => {
    if (left.length === 0) left = shuffled(items, random);
    return left.shift();
  };
}
