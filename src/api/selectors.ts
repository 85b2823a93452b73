/**
 * labelSelector and fieldSelector: comma-separated requirements, all of which must hold.
 *
 * Read next: label-selector.ts. Of fields there are fewer kinds: `a=b`, `a==b` and `a!=b`.
 */
import { own } from '../pod/own.ts';
import { ApiError } from './api-status.ts';
import { labelRequirements } from './label-selector.ts';
import type { Labelled } from './label-selector.ts';

export type Matches<T> = (object: T) => boolean;

/** The values of the fields that can be selected by. */
export type FieldsOf<T> = Readonly<Record<string, (object: T) => string>>;

/** What both selectors of a query let through. */
export function selection<T extends Labelled>(
  query: URLSearchParams,
  fields: FieldsOf<T>,
): Matches<T> {
  const requirements = [
    ...fieldRequirements(query.get('fieldSelector') ?? '', fields),
    ...labelRequirements(query.get('labelSelector') ?? ''),
  ];
  return (object) => requirements.every((holds) => holds(object));
}

function fieldRequirements<T>(selector: string, fields: FieldsOf<T>): readonly Matches<T>[] {
  return selector
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text) => fieldRequirement(text, fields));
}

function fieldRequirement<T>(text: string, fields: FieldsOf<T>): Matches<T> {
  const parts = /^([^\s=!()]+)\s*(==?|!=)\s*([^\s=!()]*)$/.exec(text) ?? [];
  const [, key = '', operator = '', value = ''] = parts;
  const read = own(fields, key);
  if (read === undefined) {
    throw new ApiError('BadRequest', `field selector "${text}" is not supported`, {
      next: `use one of ${Object.keys(fields).join(', ')} with = or !=`,
    });
  }
  return (object) => (read(object) === value) === operator.startsWith('=');
}
