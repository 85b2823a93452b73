/**
 * One document -> a valid Pod with its defaults, or a ManifestError with everything that is wrong.
 *
 * First the schema looks at each field by itself, then the rules at what must fit together; the
 * latter see only what the former found sound. Nothing is dropped in silence: a field is honoured,
 * or a note says that it has no effect, or it is a fault.
 *
 * Read next: schema/pod.ts, all fields; rules/all.ts, all rules; defaults.ts, what comes out.
 */
import { withDefaults } from './defaults.ts';
import type { ManifestPod } from './defaults.ts';
import { problemsOf, valueAt } from './issues.ts';
import { checkKind } from './kind.ts';
import { ManifestError, invalidValue, pathText } from './manifest-error.ts';
import type { Fault, Path, Problem } from './manifest-error.ts';
import { notesOn } from './notes.ts';
import { rules } from './rules/all.ts';
import { podSchema } from './schema/pod.ts';
import type { RawPod } from './schema/pod.ts';
import { isMap, withoutBlanks } from './schema/walk.ts';
import { isWithinFaulty, soundPartsOf } from './sound.ts';
import type { PartlyPod, RuleProblem } from './rules/rule.ts';

/** A value to be judged, and where it came from. */
export interface Source {
  readonly value: unknown;
  /** A file's name, or words for another origin. */
  readonly file: string;
  /** Absent where there is no text with lines. */
  readonly lineOf?: (path: Path) => number;
  /** The namespace the pod is meant for; absent: the one it names, or `default`. */
  readonly namespace?: string;
}

/** A valid pod, and remarks on what has no effect. */
export interface Validated {
  readonly pod: ManifestPod;
  readonly notes: readonly string[];
}

/** The pod that a document describes. */
export function validatePod(source: Source): Validated {
  const value = withoutBlanks(podSchema, source.value);
  const kindProblems = checkKind(value);
  if (hasSome(kindProblems)) throw errorFor(kindProblems, source);
  const ownProblems = problemsOf(podSchema, value);
  const problems = [...ownProblems, ...problemsTogether(value, ownProblems, source.namespace)];
  if (hasSome(problems)) throw errorFor(problems, source);
  return {
    pod: withDefaults(value as RawPod, source.namespace),
    notes: notesOn(value as RawPod, source),
  };
}

/** What does not fit together among the parts that are sound by themselves. */
function problemsTogether(
  value: unknown,
  ownProblems: readonly Problem[],
  namespace: string | undefined,
): readonly Problem[] {
  const faulty = ownProblems.map(({ path }) => path);
  const faultyTexts = new Set(faulty.map(pathText));
  const pod = soundPartsOf(value, faulty) as PartlyPod;
  return [...rules.flatMap((rule) => [...rule(pod)]), ...checkNamespace(pod, namespace)].filter(
    ({ path, dependsOn = path }) =>
      !isWithinFaulty(path, faultyTexts) && !isWithinFaulty(dependsOn, faultyTexts),
  );
}

function checkNamespace(
  { metadata }: PartlyPod,
  wanted: string | undefined,
): readonly RuleProblem[] {
  const named = metadata?.namespace;
  if (wanted === undefined || named === undefined || named === wanted) return [];
  return [
    {
      path: ['metadata', 'namespace'],
      message: invalidValue(named, `does not match the namespace that was asked for, "${wanted}"`),
      hint: 'change one of the two',
    },
  ];
}

function errorFor(problems: readonly [Problem, ...Problem[]], source: Source): ManifestError {
  const [first, ...more] = problems;
  return new ManifestError([toFault(first, source), ...more.map((each) => toFault(each, source))]);
}

function toFault({ path, message, hint, near }: Problem, { value, file, lineOf }: Source): Fault {
  return {
    path: pathText(path),
    line: lineOf?.(near ?? path),
    file,
    message,
    hint,
    container: containerAt(value, path),
  };
}

function containerAt(value: unknown, path: Path): string | undefined {
  const [spec, list] = path;
  if (spec !== 'spec' || (list !== 'containers' && list !== 'initContainers')) return undefined;
  const container = path.length > 2 ? valueAt(value, path.slice(0, 3)) : undefined;
  return isMap(container) && typeof container['name'] === 'string' ? container['name'] : undefined;
}

function hasSome<T>(list: readonly T[]): list is readonly [T, ...T[]] {
  return list.length > 0;
}
