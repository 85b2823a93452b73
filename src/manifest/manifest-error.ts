/**
 * Faults of a manifest, in Kubernetes' words, and the one error that carries all of them.
 *
 * A fault is plain data first (`Problem`: what is wrong with which field); file and line join it in
 * validate.ts. Every piece of the manifest that is shown is quoted and shortened here, so that a
 * hostile manifest cannot write to somebody's terminal.
 */
import { RepriseError } from '../errors.ts';

/** Where in a document something is: keys and list indices from its root. */
export type Path = readonly (string | number)[];

/** What is wrong with one field, before it is known where the document came from. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
  /** What to try next, as an imperative; it adds to what the message says. */
  readonly hint: string;
  /** The field whose line is shown, where it is not the one at `path`. */
  readonly near?: Path;
}

/** One thing that is wrong with a manifest. */
export interface Fault {
  /** Kubernetes' spelling: `spec.containers[0].image`; empty for the document as a whole. */
  readonly path: string;
  /** 1 is the first line; absent where there is no text, as in a request's body. */
  readonly line?: number;
  readonly file: string;
  readonly message: string;
  /** What to try next, as an imperative. */
  readonly hint: string;
  /** The container the field belongs to. */
  readonly container?: string;
}

/** Nobody reads more; a hostile manifest can have a million faults. */
const mostShown = 200;
/** How many are described at all; more of them are only counted. */
export const mostFaults = 1000;

/** The manifest cannot be run as written: the CLI exits 2, the API answers 422. */
export class ManifestError extends RepriseError {
  /** The faults, in the order of their lines; at least one. */
  readonly faults: readonly Fault[];
  /** How many more there are that are not described. */
  readonly untold: number;

  constructor(
    faults: readonly [Fault, ...Fault[]],
    { cause, untold = 0 }: { readonly cause?: unknown; readonly untold?: number } = {},
  ) {
    const sorted = faults.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
    const [first] = faults;
    const count = sorted.length + untold;
    if (count === 1) {
      super(first.message, { where: whereIs(first), next: first.hint, cause });
    } else {
      const title = `${printable(first.file)} has ${count} faults`;
      const shown = sorted.slice(0, mostShown).map(describeFault);
      const hidden = count - shown.length;
      if (hidden > 0) shown.push(`... and ${hidden} more`);
      super([title, ...shown].join('\n\n'), { cause });
    }
    this.faults = sorted;
    this.untold = untold;
  }
}

/** A fault in three parts: what, where, what to try next. */
export function describeFault(fault: Fault): string {
  return [`error: ${fault.message}`, `   at: ${whereIs(fault)}`, `  try: ${fault.hint}`].join('\n');
}

function whereIs({ file, line, path, container }: Fault): string {
  const place = line === undefined ? printable(file) : `${printable(file)}:${line}`;
  if (path === '') return place;
  return `${place}, ${path}${container === undefined ? '' : ` of container ${quoted(container)}`}`;
}

/** A path in Kubernetes' spelling; keys that are not plain words are quoted. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    if (!/^[A-Za-z][A-Za-z0-9]{0,63}$/.test(step)) return `${text}[${quoted(step)}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

/** A value as it is shown in a message: JSON, on one line, without control characters, short. */
export function quoted(value: unknown): string {
  if (typeof value === 'string') return shortened(escaped(JSON.stringify(value.slice(0, 200))));
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a map';
  return shortened(String(value));
}

/** Text that may hold anything, made safe for a line of a message. */
export function printable(text: string): string {
  return escaped(JSON.stringify(text.slice(0, 4096)).slice(1, -1).replaceAll('\\"', '"'));
}

/** JSON leaves DEL, C1 controls and the marks that turn writing direction as they are. */
function escaped(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function shortened(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 60)}...${text.slice(-10)}`;
}

export function invalidValue(value: unknown, because: string): string {
  return `Invalid value: ${quoted(value)}: ${because}`;
}

export function requiredValue(because?: string): string {
  return because === undefined ? 'Required value' : `Required value: ${because}`;
}

export function unsupportedValue(value: unknown, supported: readonly string[]): string {
  return `Unsupported value: ${quoted(value)}: supported values: ${supported.map((word) => JSON.stringify(word)).join(', ')}`;
}

export function forbidden(because: string): string {
  return `Forbidden: ${because}`;
}

export function duplicateValue(value: unknown): string {
  return `Duplicate value: ${quoted(value)}`;
}

export function tooMany(count: number, most: number): string {
  return `Too many: ${count}: must have at most ${most} items`;
}
