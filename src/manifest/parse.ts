/**
 * YAML or JSON text -> plain values that still know their line.
 *
 * The text is read as kubectl reads it: YAML 1.1 scalars (`yes` and `on` are booleans, `0644` is
 * octal), but no timestamps and no base-60 numbers. Whatever is thrown at it, this ends soon, with
 * documents or with a ManifestError: work is bounded before it is begun, by counting lexemes and
 * depth; aliases cannot multiply; keys that would reach a prototype are refused.
 *
 * Read next: validate.ts, which judges the documents.
 */
import { Composer, LineCounter, Parser, isScalar, visit } from 'yaml';
import type { CST, Document, DocumentOptions, ParseOptions, SchemaOptions } from 'yaml';
import { messageOf } from '../errors.ts';
import { ManifestError, pathText, printable, quoted } from './manifest-error.ts';
import type { Fault, Path } from './manifest-error.ts';
import { expandsTooFar } from './expansion.ts';
import { jsonTextsOf } from './json-texts.ts';
import type { Piece } from './json-texts.ts';
import { findExcess, findExcessOfTokens } from './limits.ts';
import type { Excess } from './limits.ts';
import { lineFinder } from './lines.ts';
import { kubectlTags } from './plain-scalars.ts';
import { findUnfitPart } from './plain.ts';

/** A document of a manifest. */
export interface ManifestDocument {
  readonly file: string;
  /** Plain data, as JSON has it. */
  readonly value: unknown;
  /** Line of the field at a path, or of the closest field around it that exists. */
  readonly lineOf: (path: Path) => number;
}

/** All documents of a text that are not empty. */
export function parseDocuments(given: string, file: string): readonly ManifestDocument[] {
  // Each document may begin with a mark of byte order; the library knows only that of the first one.
  const text = given.replace(/\ufeff(?<=\n---[^\n]*\n\ufeff)/g, '');
  const refuse = (excess: Excess): never => {
    throw new ManifestError([{ path: '', file, ...excess }]);
  };
  const excess = findExcess(text);
  if (excess) return refuse(excess);
  const lines = new LineCounter();
  const tokens = jsonTextsOf(text).flatMap((piece) => tokensOf(piece, lines));
  const excessOfTokens = findExcessOfTokens(tokens, lines);
  if (excessOfTokens) return refuse(excessOfTokens);
  const documents = [...new Composer(yamlOptions).compose(tokens, true, text.length)];
  const faults = documents.flatMap((document) => faultsOf(document, file, lines));
  if (hasSome(faults)) throw new ManifestError(faults);
  return documents
    .filter(({ contents }) => contents !== null && !(isScalar(contents) && contents.value === null))
    .map((document) => toDocument(document, file, lines));
}

function tokensOf({ text, start }: Piece, lines: LineCounter): readonly CST.Token[] {
  const parser = new Parser(lines.addNewLine);
  parser.offset = start;
  return [...parser.parse(text)];
}

const yamlOptions = {
  version: '1.1',
  // Also where the text begins with "%YAML 1.2": what it means must not hang on that.
  schema: 'yaml-1.1',
  resolveKnownTags: false,
  stringKeys: true,
  prettyErrors: false,
  // The library compares every key with every other; see findDuplicateKeys.
  uniqueKeys: false,
  customTags: kubectlTags,
} as const satisfies ParseOptions & DocumentOptions & SchemaOptions;

function faultsOf(document: Document.Parsed, file: string, lines: LineCounter): Fault[] {
  const at = (offset: number, message: string, hint: string): Fault => ({
    path: '',
    file,
    line: lines.linePos(offset).line,
    message,
    hint,
  });
  return [
    // One mistake makes many errors; the first ones tell it.
    ...document.errors
      .slice(0, 10)
      .map(({ pos, message }) =>
        at(pos[0], `the YAML cannot be read: ${printable(message)}`, hintFor(message)),
      ),
    ...document.warnings.map(({ pos, message }) =>
      at(pos[0], `the YAML cannot be read: ${printable(message)}`, 'remove the tag'),
    ),
    ...findBadKeys(document).map(({ offset, message, hint }) => at(offset, message, hint)),
  ];
}

function hintFor(message: string): string {
  if (/tab/i.test(message)) return 'indent with spaces';
  if (/indent/i.test(message)) return 'check the indentation of this line and the one before';
  if (/alias|anchor|merge/i.test(message)) return checkAliases;
  return 'check quotes, brackets and colons in this line and the one before';
}

const checkAliases = 'check the anchors ("&name") and the aliases that stand for them ("*name")';

function findBadKeys(
  document: Document.Parsed,
): readonly { offset: number; message: string; hint: string }[] {
  const found: { offset: number; message: string; hint: string }[] = [];
  visit(document, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const offset = key.range?.[0] ?? 0;
        if (key.value === '__proto__') {
          found.push({
            offset,
            message: 'the key "__proto__" is not allowed',
            hint: 'remove the key, or give it another name',
          });
        } else if (seen.has(key.value) && key.value !== '<<') {
          found.push({
            offset,
            message: `the key ${quoted(key.value)} is there twice in the same map`,
            hint: 'remove one of the two',
          });
        }
        seen.add(key.value);
      }
    },
  });
  return found;
}

function toDocument(document: Document.Parsed, file: string, lines: LineCounter): ManifestDocument {
  const lineOf = lineFinder(document, lines);
  const unusable = (message: string, hint: string, path: Path = [], cause?: unknown): never => {
    const fault = { path: pathText(path), file, line: lineOf(path), message, hint };
    throw new ManifestError([fault], { cause });
  };
  if (expandsTooFar(document)) {
    return unusable(
      'the aliases of the manifest multiply into too much data',
      'write the values out instead of using anchors and aliases',
    );
  }
  let value: unknown;
  try {
    // The library's own bound looks through the whole document for each alias.
    value = document.toJS({ maxAliasCount: -1 });
  } catch (cause) {
    // The library throws plain errors for aliases and merges that cannot be resolved.
    return unusable(
      `the YAML cannot be read: ${printable(messageOf(cause))}`,
      checkAliases,
      [],
      cause,
    );
  }
  const unfit = findUnfitPart(value);
  if (unfit) return unusable(unfit.message, unfit.hint, unfit.path);
  return { file, value, lineOf };
}

function hasSome<T>(list: readonly T[]): list is readonly [T, ...T[]] {
  return list.length > 0;
}
