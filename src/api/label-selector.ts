/**
 * Label selectors: requirements with commas between them, all of which must hold.
 *
 * They are what Kubernetes takes for itself, without `<` and `>`: `a`, `!a`, `a=b`, `a==b`, `a!=b`,
 * `a in (b, c)` and `a notin (b, c)`. What lacks a label has none of its values.
 *
 * Source: Parse and Requirement.Matches of Kubernetes' apimachinery (pkg/labels).
 */
import { isLabelValue, isQualifiedName } from '../manifest/schema/scalar.ts';
import { own } from '../pod/own.ts';
import { ApiError } from './api-status.ts';

/** Something that may have labels. */
export interface Labelled {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

/** What each requirement of a selector lets through; an empty one has none. */
export function labelRequirements(selector: string): readonly ((object: Labelled) => boolean)[] {
  const requirements: ((object: Labelled) => boolean)[] = [];
  if (selector.trim() === '') return requirements;
  const next = new RegExp(requirement, 'y');
  for (let isLast = false; !isLast;) {
    const at = next.lastIndex;
    const parts = next.exec(selector)?.groups;
    if (parts === undefined) {
      throw refusal(selector, `it is not understood at "${selector.slice(at).trim()}"`);
    }
    requirements.push(requirementOf(parts, selector));
    isLast = parts['comma'] === undefined;
  }
  return requirements;
}

const word = String.raw`[^\s=!<>(),]+`;

/** One requirement, and the comma after it. A set stands apart from its key, an operator need not. */
const requirement = [
  String.raw`\s*(?:(?<not>!)\s*)?(?<key>${word})`,
  String.raw`(?:\s*(?<operator>==?|!=)(?:\s*(?<value>${word}))?`,
  String.raw`|\s+(?<set>in|notin)\s*\((?<values>[^()]*)\))?`,
  String.raw`\s*(?:(?<comma>,)|$)`,
].join('');

type Parts = Readonly<Record<string, string | undefined>>;

function requirementOf(
  { not, key = '', operator = '', value = '', set, values }: Parts,
  selector: string,
): (object: Labelled) => boolean {
  if (!isQualifiedName(key)) throw refusal(selector, `"${key}" can be the key of no label`);
  if (operator === '' && set === undefined) {
    return ({ metadata }) => (own(metadata.labels, key) === undefined) === (not !== undefined);
  }
  if (not !== undefined) throw refusal(selector, `"!${key}" takes no value`);
  if (values?.trim() === '') throw refusal(selector, `"${key} ${set}" needs a value`);
  const wanted = values?.split(',').map((one) => one.trim()) ?? [value];
  const odd = wanted.find((one) => !isLabelValue(one));
  if (odd !== undefined) throw refusal(selector, `"${odd}" can be the value of no label`);
  const isWanted = operator.startsWith('=') || set === 'in';
  return ({ metadata }) => {
    const has = own(metadata.labels, key);
    return (has !== undefined && wanted.includes(has)) === isWanted;
  };
}

function refusal(selector: string, why: string): ApiError {
  return new ApiError('BadRequest', `label selector "${selector}": ${why}`, {
    next: 'write key=value, key!=value, key in (a, b), key notin (a, b), key or !key, with commas between them',
  });
}
