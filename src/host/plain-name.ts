/** Names that become a part of a path. They have been checked where they came in; this is the second lock. */
import { RepriseError } from '../errors.ts';

/** Throws unless a text can name one file or folder inside another, and nothing else. */
export function assertPlainName(value: string, where: string): void {
  if (/^[A-Za-z0-9][\w.-]*$/.test(value)) return;
  throw new RepriseError(`"${value}" cannot name a folder`, {
    where,
    next: 'use letters, digits, ".", "_" and "-" only',
  });
}
