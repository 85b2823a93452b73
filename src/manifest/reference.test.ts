import { readFileSync } from 'node:fs';
import test from 'ava';
import { inPlaceBackoffAnnotation } from './rules/names.ts';
import { withFieldTables } from './reference.ts';

const page = readFileSync(new URL('../../docs/manifest.md', import.meta.url), 'utf8');

test('docs/manifest.md is current (else: node scripts/generate-manifest-docs.ts)', (t) => {
  t.is(page, withFieldTables(page));
});

test('docs/manifest.md has every annotation', (t) => {
  t.true(page.includes(`\`${inPlaceBackoffAnnotation}\``));
});
