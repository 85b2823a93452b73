/**
 * One document -> a valid Pod with its defaults, or a ManifestError with everything that is wrong.
 * Nothing is dropped in silence: a field is honoured, or a note says that it has no effect, or it
 * is a fault.
 *
 * Read next: schema/pod.ts, all fields; rules/all.ts, all rules; defaults.ts, what comes out.
 */
import { withDefaults } from './defaults.ts';
import type { ManifestPod } from './defaults.ts';
import { judge, refuse } from './judge.ts';
import type { Source } from './judge.ts';
import { checkKind } from './kind.ts';
import { notesOn } from './notes.ts';
import { rules } from './rules/all.ts';
import { checkLogFolder } from './rules/names.ts';
import type { PartlyPod, RuleProblem } from './rules/rule.ts';
import { podSchema } from './schema/pod.ts';
import type { RawPod } from './schema/pod.ts';
import { withoutBlanks } from './schema/walk.ts';

export type { Source } from './judge.ts';

/** A valid pod, and remarks on what has no effect. */
export interface Validated {
  readonly pod: ManifestPod;
  readonly notes: readonly string[];
}

/** The pod that a document describes. */
export function validatePod(source: Source): Validated {
  refuse(checkKind(withoutBlanks(podSchema, source.value)), source);
  const pod = judge<RawPod>(podSchema, (value) => allRules(value, source.namespace), source);
  return { pod: withDefaults(pod, source.namespace), notes: notesOn(pod, source) };
}

function* allRules(pod: unknown, namespace: string | undefined): Generator<RuleProblem> {
  // It is for those that ask for it now; what runs already keeps its name.
  yield* checkLogFolder(pod as PartlyPod, namespace);
  for (const rule of rules) yield* rule(pod as PartlyPod);
}
