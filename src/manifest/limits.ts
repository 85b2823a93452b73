/**
 * Bounds of the work that a manifest may cause, checked before that work is begun: the YAML library
 * takes seconds for each megabyte of small parts, and follows nesting on the call stack.
 */
import { Lexer } from 'yaml';
import type { CST, LineCounter } from 'yaml';
import { printable } from './manifest-error.ts';

/** The kubelet's limit for a manifest file. */
export const maxManifestBytes = 10 * 1024 * 1024;
/** A hundred times what the largest sensible manifest needs, and still read within seconds. */
const maxLexemes = 1_500_000;
/** Resolving an alias means looking at all of them. */
const maxAnchors = 5000;
const maxDocuments = 1000;
/** The deepest field of a Pod is 14 levels down. */
export const maxDepth = 100;

/** What a text has too much of. */
export interface Excess {
  readonly message: string;
  readonly hint: string;
  readonly line?: number;
}

/** What a text has that keeps it from being parsed, if anything. */
export function findExcess(text: string): Excess | undefined {
  if (Buffer.byteLength(text) > maxManifestBytes) {
    return {
      message: 'the manifest is larger than 10 MiB',
      hint: 'split it, or move data into volumes',
    };
  }
  return findControlCharacter(text) ?? findTooMany(text);
}

/** YAML allows none but tabs and line breaks, even in quotes; the library lets them through. */
function findControlCharacter(text: string): Excess | undefined {
  const found = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.exec(text);
  if (!found) return undefined;
  return {
    message: `the manifest holds a control character (${printable(found[0])}), which YAML does not allow`,
    hint: 'remove it, or write it as an escape between double quotes',
    line: text.slice(0, found.index).split('\n').length,
  };
}

/** Counting lexemes is quick, and stops early. */
function findTooMany(text: string): Excess | undefined {
  const hint = 'split it into several files';
  let lexemes = 0;
  let anchors = 0;
  for (const lexeme of new Lexer().lex(text)) {
    lexemes++;
    if (lexeme.startsWith('&') || lexeme.startsWith('*')) anchors++;
    if (lexemes > maxLexemes) {
      return { message: `the manifest has more than ${maxLexemes} parts`, hint };
    }
    if (anchors > maxAnchors) {
      return { message: `the manifest has more than ${maxAnchors} anchors and aliases`, hint };
    }
  }
  return undefined;
}

/** What a parsed text has that keeps it from being composed, if anything. */
export function findExcessOfTokens(
  tokens: readonly CST.Token[],
  lines: LineCounter,
): Excess | undefined {
  if (tokens.filter(({ type }) => type === 'document').length > maxDocuments) {
    return { message: `the manifest has more than ${maxDocuments} documents`, hint: 'split it' };
  }
  const offset = findTooDeep(tokens);
  if (offset === undefined) return undefined;
  return {
    message: `the manifest is nested more than ${maxDepth} levels deep`,
    hint: 'take levels out: the deepest field of a Pod is 14 levels down',
    line: lines.linePos(offset).line,
  };
}

/** Where nesting goes too deep; walks with a list of its own, since the call stack is the danger. */
function findTooDeep(tokens: readonly CST.Token[]): number | undefined {
  const open = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > maxDepth) return token.offset;
    if (token.type === 'document' && token.value) open.push({ token: token.value, depth });
    if (!('items' in token)) continue;
    for (const { key, value } of token.items) {
      if (key) open.push({ token: key, depth: depth + 1 });
      if (value) open.push({ token: value, depth: depth + 1 });
    }
  }
  return undefined;
}
