/**
 * The part of kubectl's JSONPath that people use: `{.status.phase}`, `{.a[0].b}`, `{.a['x.y']}`,
 * `{.a[*].b}` and `{.a[?(@.name=="x")].b}`.
 */
import { UsageError } from './usage-error.ts';

type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'filter'; readonly path: readonly string[]; readonly value: string };

/** A path that can be followed through any value. */
export type JsonPath = (value: unknown) => readonly unknown[];

/** Reads a path; throws a UsageError for what is not understood. */
export function parseJsonPath(text: string): JsonPath {
  const inner = /^\{(.*)\}$/s.exec(text)?.[1] ?? text;
  const steps = stepsOf(inner.replace(/^\$/, ''), text);
  return (value) =>
    steps.reduce((found, step) => found.flatMap((one) => follow(one, step)), [value]);
}

const tokens = [
  { pattern: /^\.?\[\*\]/y, step: (): Step => ({ kind: 'all' }) },
  { pattern: /^\.\*/y, step: (): Step => ({ kind: 'all' }) },
  {
    pattern: /^\.?\[(-?\d+)\]/y,
    step: ([, index]: RegExpExecArray): Step => ({ kind: 'index', index: Number(index) }),
  },
  {
    pattern: /^\.?\[(?:'([^']*)'|"([^"]*)")\]/y,
    step: ([, a, b]: RegExpExecArray): Step => ({ kind: 'field', name: a ?? b ?? '' }),
  },
  {
    pattern: /^\.?\[\?\(\s*@((?:\.[\w-]+)+)\s*==\s*(?:'([^']*)'|"([^"]*)"|([\w.-]+))\s*\)\]/y,
    step: ([, path = '', a, b, c]: RegExpExecArray): Step => ({
      kind: 'filter',
      path: path.slice(1).split('.'),
      value: a ?? b ?? c ?? '',
    }),
  },
  {
    // A dot inside a name is written `\.`, as kubectl wants it.
    pattern: /^\.((?:[\w/-]|\\\.)+)/y,
    step: ([, name = '']: RegExpExecArray): Step => ({
      kind: 'field',
      name: name.replaceAll('\\.', '.'),
    }),
  },
];

function stepsOf(path: string, whole: string): readonly Step[] {
  const steps: Step[] = [];
  for (let rest = path; rest !== '';) {
    const found = tokens
      .map(({ pattern, step }) => ({ match: new RegExp(pattern, 'y').exec(rest), step }))
      .find(({ match }) => match !== null);
    if (!found?.match) {
      throw new UsageError(`JSONPath "${whole}" is not understood from "${rest}" on`, {
        next: `write fields, [0], [*], ['name'] or [?(@.field=="value")], e.g. {.status.phase}`,
      });
    }
    steps.push(found.step(found.match));
    rest = rest.slice(found.match[0].length);
  }
  return steps;
}

function follow(value: unknown, step: Step): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  switch (step.kind) {
    case 'field': {
      const next = Object.hasOwn(value, step.name) ? (value as Fields)[step.name] : undefined;
      return next === undefined ? [] : [next];
    }
    case 'index': {
      const next: unknown = Array.isArray(value) ? value.at(step.index) : undefined;
      return next === undefined ? [] : [next];
    }
    case 'all':
      return Object.values(value) as unknown[];
    case 'filter':
      return (Object.values(value) as unknown[]).filter(
        (one) => asText(step.path.reduce<unknown>(fieldOf, one)) === step.value,
      );
    default:
      return step satisfies never;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Fields)[name]
    : undefined;
}

/** A found value as kubectl prints it: texts bare, everything else as JSON. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
