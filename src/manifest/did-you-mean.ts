/** Guesses at what an author meant. A guess holds words of ours or plain letters, never hostile text. */
import { closest, distance } from 'fastest-levenshtein';

/** A suggestion if one of the words is close enough to be meant. */
export function didYouMean(written: unknown, words: readonly string[]): string | undefined {
  if (typeof written !== 'string' || written.length > 100) return undefined;
  // Among so many, some word is always close; and each costs time, for each fault.
  if (words.length === 0 || words.length > 200) return undefined;
  const sameButCase = words.find((word) => word.toLowerCase() === written.toLowerCase());
  const best = sameButCase ?? closest(written, words);
  const isClose =
    sameButCase !== undefined ||
    distance(written, best) <= Math.max(1, Math.floor(best.length / 3));
  return isClose ? `did you mean "${best}"?` : undefined;
}

/** A text as a DNS name: in lower case, with a dash for all that no such name may have. */
export function nearestName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/[-.]*\.[-.]*/g, '.')
    .replace(/^[-.]+|[-.]+$/g, '');
}
