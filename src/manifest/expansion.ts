/**
 * How large a document becomes when what its aliases stand for is written out, found before that is
 * done: everything that looks at a manifest looks at each of those parts again.
 */
import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { Document, Pair } from 'yaml';
import { maxManifestBytes } from './limits.ts';

/** A thousand containers that share a hundred lines; far less than what a text may hold itself. */
const maxRepeatedParts = 100_000;

/** Whether a document is more than its text can be blamed for. */
export function expandsTooFar(document: Document): boolean {
  const written = { parts: 0 };
  const { parts, text } = sizeOf(document.contents, { anchors: new Map(), written });
  return parts - written.parts > maxRepeatedParts || text > maxManifestBytes;
}

interface Size {
  parts: number;
  /** Characters of all texts, keys among them. */
  text: number;
}

interface Known {
  /** An anchor may be set again further down: an alias means the last one before it. */
  readonly anchors: Map<string, Size>;
  readonly written: { parts: number };
}

function sizeOf(node: unknown, known: Known): Size {
  known.written.parts++;
  // What has no anchor is a fault, and told of elsewhere.
  if (isAlias(node)) return known.anchors.get(node.source) ?? { parts: 1, text: 0 };
  // Until it is known: whatever has an alias of itself in it has no end.
  const size: Size = { parts: Infinity, text: Infinity };
  if ((isMap(node) || isSeq(node) || isScalar(node)) && node.anchor) {
    known.anchors.set(node.anchor, size);
  }
  const sum = isMap(node)
    ? total(node.items.map((pair) => sizeOfPair(pair, known)))
    : isSeq(node)
      ? total(node.items.map((item) => sizeOf(item, known)))
      : { parts: 0, text: isScalar(node) ? lengthOf(node.value) : 0 };
  return Object.assign(size, { parts: sum.parts + 1, text: sum.text });
}

/** A key is no part of its own; what is merged in with `<<` counts like any other value. */
function sizeOfPair({ key, value }: Pair, known: Known): Size {
  const { text } = sizeOf(key, { ...known, written: { parts: 0 } });
  const size = sizeOf(value, known);
  return { parts: size.parts, text: text + size.text };
}

function total(sizes: readonly Size[]): Size {
  return {
    parts: sizes.reduce((sum, { parts }) => sum + parts, 0),
    text: sizes.reduce((sum, { text }) => sum + text, 0),
  };
}

function lengthOf(value: unknown): number {
  return typeof value === 'string' ? value.length : 0;
}
