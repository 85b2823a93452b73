/**
 * labelSelector and fieldSelector: comma-separated requirements, all of which must hold.
 *
 * Labels take equality and existence (`a=b`, `a!=b`, `a`, `!a`), fields equality.
 */
import { own } from '../pod/own.ts';
import { ApiError } from './api-status.ts';

export type Matches<T> = (object: T) => boolean;

/** The values of the fields that can be selected by. */
export type FieldsOf<T> = Readonly<Record<string, (object: T) => string>>;

interface Labelled {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

/** What both selectors of a query let through. */
export function selection<T extends Labelled>(
  query: URLSearchParams,
  fields: FieldsOf<T>,
): Matches<T> {
  const requirements = [
    ...split(query.get('fieldSelector')).map((text) => fieldRequirement(text, fields)),
    ...split(query.get('labelSelector')).map((text) => labelRequirement(text)),
  ];
  return (object) => requirements.every((holds) => holds(object));
}

function split(selector: string | null): readonly string[] {
  return (selector ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '');
}

function fieldRequirement<T>(text: string, fields: FieldsOf<T>): Matches<T> {
  const { key, operator, value } = parse(text, 'field selector');
  const read = own(fields, key);
  if (read === undefined || operator === undefined) {
    throw new ApiError('BadRequest', `field selector "${text}" is not supported`, {
      next: `use one of ${Object.keys(fields).join(', ')} with = or !=`,
    });
  }
  return (object) => (read(object) === value) === (operator === '=');
}

function labelRequirement(text: string): Matches<Labelled> {
  const { key, operator, value } = parse(text, 'label selector');
  if (operator === undefined) {
    const wanted = !key.startsWith('!');
    const name = wanted ? key : key.slice(1);
    return ({ metadata }) => (own(metadata.labels, name) !== undefined) === wanted;
  }
  return ({ metadata }) => (own(metadata.labels, key) === value) === (operator === '=');
}

function parse(
  text: string,
  what: string,
): { key: string; operator: '=' | '!=' | undefined; value: string } {
  const parts = /^(!?[^\s=!()]+)\s*(?:(==?|!=)\s*([^\s=!()]*))?$/.exec(text);
  if (!parts?.[1]) {
    throw new ApiError('BadRequest', `${what} "${text}" is not supported`, {
      next: 'write key=value or key!=value',
    });
  }
  const operator = parts[2] === undefined ? undefined : parts[2] === '!=' ? '!=' : '=';
  return { key: parts[1], operator, value: parts[3] ?? '' };
}
