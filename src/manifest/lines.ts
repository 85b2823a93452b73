/** Finds the line of a field in a YAML document, through aliases and merge keys. */
import { isAlias, isMap, isScalar, isSeq, visit } from 'yaml';
import type { Alias, Document, LineCounter, Node, Pair, YAMLMap } from 'yaml';
import type { Path } from './manifest-error.ts';

/** A function from a path to the line of what is there, or of the closest field around it. */
export function lineFinder(document: Document, lines: LineCounter): (path: Path) => number {
  const targets = aliasTargets(document);
  const pairOf = pairFinder();
  return (path) => {
    let offset = document.contents?.range?.[0] ?? document.range?.[0] ?? 0;
    let node: unknown = document.contents;
    for (const step of path) {
      const found = stepInto(node, step, targets, pairOf);
      if (!found) break;
      offset = found.offset ?? offset;
      node = found.node;
    }
    return lines.linePos(offset).line;
  };
}

interface Found {
  readonly node: unknown;
  readonly offset: number | undefined;
}

function stepInto(
  node: unknown,
  step: string | number,
  targets: Targets,
  pairOf: PairOf,
): Found | undefined {
  const target = isAlias(node) ? targets.get(node) : node;
  if (typeof step === 'number') {
    if (!isSeq(target)) return undefined;
    const item = target.items[step];
    return item === undefined ? undefined : { node: item, offset: startOf(item) };
  }
  if (!isMap(target)) return undefined;
  const pair = pairOf(target, step);
  if (pair) return { node: pair.value, offset: startOf(pair.key) };
  return mergedInto(pairOf(target, '<<'), targets)
    .map((source) => stepInto(source, step, targets, pairOf))
    .find((found) => found !== undefined);
}

/** The maps that `<<` merges into a map. */
function mergedInto(pair: Pair | undefined, targets: Targets): readonly unknown[] {
  const merge = pair?.value;
  const target = isAlias(merge) ? targets.get(merge) : merge;
  return isSeq(target) ? target.items : target === undefined ? [] : [target];
}

function startOf(node: unknown): number | undefined {
  return isAlias(node) || isMap(node) || isScalar(node) || isSeq(node)
    ? node.range?.[0]
    : undefined;
}

type PairOf = (map: YAMLMap, key: string) => Pair | undefined;

/** The library looks through all keys each time; a map with many faulty ones must not cost that. */
function pairFinder(): PairOf {
  const indexes = new WeakMap<YAMLMap, ReadonlyMap<unknown, Pair>>();
  return (map, key) => {
    const index =
      indexes.get(map) ??
      new Map(map.items.map((pair) => [isScalar(pair.key) && pair.key.value, pair]));
    indexes.set(map, index);
    return index.get(key);
  };
}

type Targets = ReadonlyMap<Alias, Node>;

/** Anchors may be set again further down: an alias means the last one before it. */
function aliasTargets(document: Document): Targets {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Node(_, node) {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target) targets.set(node, target);
      } else if ('anchor' in node && node.anchor) {
        anchors.set(node.anchor, node);
      }
    },
  });
  return targets;
}
