/**
 * Holds one document against a schema and the rules that go with it: the schema looks at each field
 * by itself, then the rules at what must fit together; the latter see only what the former found
 * sound. Everything that is wrong is told at once.
 */
import type { z } from 'zod';
import { problemsOf, valueAt } from './issues.ts';
import type { Problems } from './issues.ts';
import { ManifestError, invalidValue, mostFaults, pathText } from './manifest-error.ts';
import type { Fault, Path, Problem } from './manifest-error.ts';
import type { RuleProblem } from './rules/rule.ts';
import { dnsLabelRule, isDnsLabel } from './schema/scalar.ts';
import { isMap, withoutBlanks } from './schema/walk.ts';
import { isWithinFaulty, soundPartsOf } from './sound.ts';

/** A value to be judged, and where it came from. */
export interface Source {
  readonly value: unknown;
  /** A file's name, or words for another origin. */
  readonly file: string;
  /** Absent where there is no text with lines. */
  readonly lineOf?: (path: Path) => number;
  /** The namespace the object is meant for; absent: the one it names, or `default`. */
  readonly namespace?: string;
}

/** The value without blanks, if it keeps to schema and rules; else a ManifestError with all faults. */
export function judge<T>(
  schema: z.ZodType<T>,
  rules: (value: unknown) => Iterable<RuleProblem>,
  source: Source,
): T {
  const value = withoutBlanks(schema, source.value);
  const own = problemsOf(schema, value);
  const together = problemsTogether(value, own, rules, source.namespace);
  refuse([...own.told, ...together.told], source, own.untold + together.untold);
  return value as T;
}

/** Throws a ManifestError if there are problems. */
export function refuse(problems: readonly Problem[], source: Source, untold = 0): void {
  const [first, ...more] = problems.map((each) => toFault(each, source));
  if (first !== undefined) throw new ManifestError([first, ...more], { untold });
}

/** What does not fit together among the parts that are sound by themselves. */
function problemsTogether(
  value: unknown,
  own: Problems,
  rules: (value: unknown) => Iterable<RuleProblem>,
  namespace: string | undefined,
): Problems {
  // Not all unsound parts are known then, and rules may look at sound ones only.
  if (own.untold > 0) return { told: [], untold: 0 };
  const faulty = own.told.map(({ path }) => path);
  const faultyTexts = new Set(faulty.map(pathText));
  const sound = soundPartsOf(value, faulty);
  const told: Problem[] = [];
  let untold = 0;
  for (const problem of chained(rules(sound), checkNamespace(sound, namespace))) {
    const { path, dependsOn = path } = problem;
    if (isWithinFaulty(path, faultyTexts) || isWithinFaulty(dependsOn, faultyTexts)) continue;
    if (told.length < mostFaults) told.push(problem);
    else untold++;
  }
  return { told, untold };
}

function* chained<T>(...lists: readonly Iterable<T>[]): Generator<T> {
  for (const list of lists) yield* list;
}

function checkNamespace(value: unknown, wanted: string | undefined): readonly RuleProblem[] {
  if (wanted === undefined) return [];
  const path = ['metadata', 'namespace'];
  if (!isDnsLabel(wanted)) {
    const hint = 'ask for a namespace such as "default" or "team-a"';
    return [{ path, message: invalidValue(wanted, dnsLabelRule), hint }];
  }
  const named = valueAt(value, path);
  if (named === undefined || named === wanted) return [];
  return [
    {
      path,
      message: invalidValue(named, `does not match the namespace that was asked for, "${wanted}"`),
      hint: 'change one of the two',
    },
  ];
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

const lists: ReadonlySet<string> = new Set(['initContainers', 'containers', 'ephemeralContainers']);

function containerAt(value: unknown, path: Path): string | undefined {
  const [spec, list] = path;
  if (spec !== 'spec' || typeof list !== 'string' || !lists.has(list)) return undefined;
  const container = path.length > 2 ? valueAt(value, path.slice(0, 3)) : undefined;
  return isMap(container) && typeof container['name'] === 'string' ? container['name'] : undefined;
}
