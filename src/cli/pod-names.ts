/**
 * Pods as they are named on the command line: `pod NAME`, `pod/NAME`, `pods NAME NAME`.
 */
import { UsageError } from './usage-error.ts';

const kinds: ReadonlySet<string> = new Set(['pod', 'pods', 'po']);

/** The names in arguments that begin with a kind or are `kind/name`; none: every pod. */
export function podNames(args: readonly string[]): readonly string[] {
  const [first = '', ...rest] = args;
  if (!first.includes('/')) {
    requireKind(first);
    const mixed = rest.find((name) => name.includes('/'));
    if (mixed !== undefined) throw new UsageError(`"${mixed}" does not go with a kind before it`);
    return rest;
  }
  return args.map(podName);
}

/** The one name in arguments: `NAME`, `pod/NAME` or `pod NAME`. */
export function onePodName(args: readonly string[], usage: string): string {
  const [first, second, ...rest] = args;
  if (first !== undefined && second === undefined) {
    return first.includes('/') ? podName(first) : first;
  }
  if (first !== undefined && second !== undefined && rest.length === 0 && kinds.has(first)) {
    return second;
  }
  throw new UsageError('name exactly one pod', { next: usage });
}

/** The same with the name of a container behind it, as kubectl takes it too: `NAME CONTAINER`, `pod/NAME CONTAINER`. */
export function podAndContainer(
  args: readonly string[],
  usage: string,
): { readonly pod: string; readonly container?: string } {
  const [first = '', second, ...rest] = args;
  if (second === undefined || rest.length > 0 || kinds.has(first)) {
    return { pod: onePodName(args, usage) };
  }
  return { pod: onePodName([first], usage), container: second };
}

/** Where something happened: `pod default/web`. */
export function podsInWords(
  pods: readonly { readonly namespace: string; readonly name: string }[],
): string {
  return `pod ${pods.map(({ namespace, name }) => `${namespace}/${name}`).join(', ')}`;
}

function podName(text: string): string {
  const [kind = '', name = '', ...rest] = text.split('/');
  requireKind(kind);
  if (name === '' || rest.length > 0) throw new UsageError(`"${text}" is no pod/NAME`);
  return name;
}

function requireKind(kind: string): void {
  if (kinds.has(kind)) return;
  throw new UsageError(`unknown kind of resource "${kind}"`, {
    next: 'write pod NAME or pod/NAME; events have their own command: reprise events',
  });
}
