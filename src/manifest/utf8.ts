/** The text of a manifest's bytes, which must be UTF-8: what is not would be changed in silence. */
import { isUtf8 } from 'node:buffer';
import { maxManifestBytes } from './limits.ts';
import { ManifestError } from './manifest-error.ts';

/** The text that bytes stand for; a ManifestError with the first line that is not UTF-8. */
export function utf8Text(bytes: Buffer, file: string): string {
  // What is too large may have been cut within a character; it is refused for its size.
  if (isUtf8(bytes) || bytes.length > maxManifestBytes) return bytes.toString('utf8');
  const fault = { path: '', file, line: lineOfFault(bytes), message: 'the text is not UTF-8' };
  throw new ManifestError([
    { ...fault, hint: 'save it as UTF-8; `iconv -f ENCODING -t UTF-8 FILE` converts it' },
  ]);
}

/** The byte that ends a line is a part of no other character. */
function lineOfFault(bytes: Buffer): number {
  let line = 1;
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(0x0a, start);
    if (end === -1 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
    line++;
  }
}
