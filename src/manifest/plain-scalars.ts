/**
 * What a text without quotes stands for, where kubectl's reader (goyaml) and the YAML library differ:
 * numbers above all. The library takes `.`, `e1` and `0x_` for numbers without a digit, which none
 * of them is, and does not know `0o17` and `0X1F`.
 *
 * Source: goyaml's resolve.go, and Go's strconv, which it leaves the numbers to.
 */
import type { ScalarTag, Tags } from 'yaml';

/** The library's tags, with those for numbers as kubectl has them, and without what it does not know. */
export function kubectlTags(tags: Tags): Tags {
  return [...tags.filter((tag) => typeof tag === 'string' || !isReplaced(tag.tag)), ...numberTags];
}

function isReplaced(tag: string | undefined): boolean {
  return /:(?:int|float|timestamp|binary|omap|pairs|set)$/.test(tag ?? '');
}

interface Numeral {
  readonly kind: 'int' | 'float';
  readonly value: number;
}

/** The number that a text without quotes is, if it is one. */
export function numeralOf(text: string): Numeral | undefined {
  const special = specials.get(text);
  if (special !== undefined) return { kind: 'float', value: special };
  // Go takes underscores between digits only; goyaml takes them out before, but not behind a dot.
  if (text.startsWith('.') && /_(?!\d)|(?<!\d)_/.test(text)) return undefined;
  const plain = text.replaceAll('_', '');
  return wholeNumber(plain) ?? fraction(plain);
}

const specials: ReadonlyMap<string, number> = new Map([
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Infinity] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, -Infinity] as const),
]);

/** What fits into 64 bits; a decimal number that does not is a fraction, any other is text. */
function wholeNumber(text: string): Numeral | undefined {
  const [, sign, digits = ''] =
    /^([-+]?)(0|[1-9]\d*|0o?[0-7]+|0b[01]+|0x[\da-f]+)$/i.exec(text) ?? [];
  if (sign === undefined || digits.length > 66) return undefined;
  const size = BigInt(digits.replace(/^0(?=\d)/, '0o'));
  if (size >= (sign === '-' ? 2n ** 63n + 1n : 2n ** 64n)) return undefined;
  // There is no negative zero among the whole numbers.
  return { kind: 'int', value: sign === '-' ? 0 - Number(size) : Number(size) };
}

function fraction(text: string): Numeral | undefined {
  if (!/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:e[-+]?\d+)?$/i.test(text)) return undefined;
  const value = Number(text);
  // Go calls it out of range, and a text it stays.
  return Number.isFinite(value) ? { kind: 'float', value } : undefined;
}

const numberTags: readonly ScalarTag[] = [
  {
    default: true,
    tag: 'tag:yaml.org,2002:float',
    test: /^[-+.\d]/,
    resolve: (text) => numeralOf(text)?.value ?? text,
  },
  {
    tag: 'tag:yaml.org,2002:int',
    resolve(text, onError) {
      const numeral = numeralOf(text);
      if (numeral?.kind !== 'int') onError('this is not a whole number');
      return numeral?.value;
    },
  },
  {
    tag: 'tag:yaml.org,2002:float',
    resolve(text, onError) {
      const numeral = numeralOf(text);
      if (numeral === undefined) onError('this is not a number');
      return numeral?.value;
    },
  },
];
