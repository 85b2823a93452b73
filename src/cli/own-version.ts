/**
 * The version of this package.
 */
import { readFileSync } from 'node:fs';

/** As package.json has it. */
export function ownVersion(): string {
  // The same place from src/cli and from dist/cli.
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
