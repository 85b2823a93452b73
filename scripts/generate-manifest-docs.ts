/** Writes the tables of all Pod fields into docs/manifest.md. */
import { readFile, writeFile } from 'node:fs/promises';
import { withFieldTables } from '../src/manifest/reference.ts';

const page = new URL('../docs/manifest.md', import.meta.url);
await writeFile(page, withFieldTables(await readFile(page, 'utf8')));
