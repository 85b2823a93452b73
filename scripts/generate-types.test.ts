import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { contentOf, generatedDirectory, generateTypes } from './generate-types.ts';

test('the generated types are those of the definitions; if not: npm run generate', async (t) => {
  const fresh = await mkdtemp(join(tmpdir(), 'reprise-types-'));
  t.teardown(() => rm(fresh, { recursive: true }));
  await generateTypes(fresh);
  t.deepEqual(await contentOf(generatedDirectory), await contentOf(fresh));
});
