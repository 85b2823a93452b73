/** The kinds of text and numbers that fields are made of. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { maxQuantityLength, parseQuantity } from '../../pod/quantity.ts';
import { nearestName } from '../did-you-mean.ts';
import { must } from './field.ts';
import type { HintFor } from './field.ts';
import { mapOf } from './many.ts';

const labelPattern = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const subdomainPattern = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const qualifiedNamePattern = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** Whether a text is a DNS-1123 label, such as the name of a container. */
export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && labelPattern.test(text);
}

/** Whether a text may name a port: an IANA service name. */
export function isPortName(text: string): boolean {
  return (
    text.length <= 15 &&
    /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(text) &&
    /[a-z]/.test(text) &&
    !text.includes('--')
  );
}

/** Whether a text is a DNS-1123 subdomain, such as the name of a pod. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= 253 && subdomainPattern.test(text);
}

/** Whether a text is a label's key: a name of at most 63 characters, maybe after `prefix/`. */
export function isQualifiedName(text: string): boolean {
  const [first = '', second, ...more] = text.split('/');
  if (more.length > 0) return false;
  if (second === undefined) return first.length <= 63 && qualifiedNamePattern.test(first);
  return isDnsSubdomain(first) && second.length <= 63 && qualifiedNamePattern.test(second);
}

/** Whether a text may be a label's value. */
export function isLabelValue(text: string): boolean {
  return text === '' || (text.length <= 63 && qualifiedNamePattern.test(text));
}

export const dnsLabelRule =
  "must consist of lower case letters, digits and '-', start and end with a letter or digit, and have at most 63 characters";
export const dnsSubdomainRule =
  "must consist of lower case letters, digits, '-' and '.', start and end with a letter or digit, and have at most 253 characters";

/** What to write in place of a text that is no DNS name. */
const nameHint =
  (most: number, like: string, isName: (text: string) => boolean): HintFor<string> =>
  (text) => {
    if (text.length > most) return `choose a name of at most ${most} characters`;
    const name = nearestName(text);
    const guess = [name, name.replaceAll('.', '-')].find(isName);
    return guess === undefined ? `write it like ${like}` : `did you mean "${guess}"?`;
  };

export const dnsLabel = (): z.ZodString =>
  must(z.string(), isDnsLabel, dnsLabelRule, nameHint(63, '"web-1"', isDnsLabel));
export const dnsSubdomain = (): z.ZodString =>
  must(
    z.string(),
    isDnsSubdomain,
    dnsSubdomainRule,
    nameHint(253, '"web-1" or "web.example.org"', isDnsSubdomain),
  );

/** Text without line breaks and other control characters: a path, an image, a directory. */
export const plainText = (): z.ZodString =>
  must(
    z.string(),
    (text) => !/[\0-\x1f\x7f]/.test(text),
    'must not contain control characters',
    'remove the line breaks, tabs and other control characters',
  );

/** A host path or a path inside a container. */
export const absolutePath = (): z.ZodString =>
  must(
    must(
      plainText(),
      (text) => text.startsWith('/'),
      'must be an absolute path',
      'write the whole path, beginning with "/"',
    ),
    (text) => text.length <= 4095,
    'must have at most 4095 characters',
    'choose a shorter path',
  );

/** Whether a path has an element `..`. */
export function hasParentStep(path: string): boolean {
  return path.split('/').includes('..');
}

export const ipAddress = (): z.ZodString =>
  must(
    z.string(),
    (text) => isIP(text) !== 0,
    'must be a valid IP address, such as 10.9.8.7 or 2001:db8::ffff',
    'write the address alone, without a port or a mask; names are not looked up here',
  );

/** A whole number within bounds that include their ends; a hint for what is beyond them. */
export const integer = (least: number, most: number, beyond?: string): z.ZodNumber =>
  must(
    must(z.number(), Number.isInteger, 'must be a whole number', 'write it without a fraction'),
    (value) => isWithin(value, least, most),
    `must be between ${least} and ${most}, inclusive`,
    beyond ?? boundsHint(least, most),
  );

const boundsHint =
  (least: number, most: number): HintFor<number> =>
  (value) =>
    value < least ? `use ${least} or more` : `use ${most} or less`;

export const int32 = (): z.ZodNumber => integer(-(2 ** 31), 2 ** 31 - 1);
/** User and group ids. */
export const id = (): z.ZodNumber => integer(0, 2 ** 31 - 1);
export const port = (): z.ZodNumber => integer(1, 65535);

/** What YAML gives as a text or as a number: a quantity, or a port that may have a name. */
export const textOrNumber = (because: string, hint: string): z.ZodType<string | number> =>
  must(
    z.custom<string | number>(),
    (value: unknown) => typeof value === 'string' || typeof value === 'number',
    because,
    hint,
  );

const quantityRule = 'must be a quantity, such as 500m, 2 or 1Gi';
const quantityHint =
  'write a number and, right after it, maybe one of m, k, M, G, T, Ki, Mi, Gi, Ti';

/** A quantity; YAML gives plain ones as numbers. */
export const quantity = (): z.ZodType<string | number> =>
  must(
    must(
      must(
        textOrNumber(quantityRule, quantityHint),
        (value) => String(value).length <= maxQuantityLength,
        `must have at most ${maxQuantityLength} characters`,
        quantityHint,
      ),
      (value) => parseQuantity(String(value)) !== undefined,
      quantityRule,
      quantityHint,
    ),
    (value) => isWithin(parseQuantity(String(value)) ?? 0, 0, Number.MAX_SAFE_INTEGER),
    `must be between 0 and ${Number.MAX_SAFE_INTEGER}, inclusive`,
    (value) =>
      (parseQuantity(String(value)) ?? 0) < 0 ? 'use 0 or more' : 'use less: no node has so much',
  );

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

/** A list with a limit. The library's own word for what is too long is never shown: the hint is. */
export const atMost = <T extends z.ZodType>(
  most: number,
  list: z.ZodArray<T>,
  hint: string,
): z.ZodArray<T> => list.max(most, hint);

/** A map with free keys and text as values. */
export const textMap = (): z.ZodRecord<z.ZodString, z.ZodString> => mapOf(z.string());
