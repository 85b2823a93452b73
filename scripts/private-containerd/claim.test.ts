import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { claim } from './claim.ts';
import { instanceAt } from './instance.ts';

const cases: Record<string, { files: (dir: string) => Record<string, string>; ours: boolean }> = {
  'an empty folder can be taken': { files: () => ({}), ours: true },
  'the folder of an instance is its own': {
    files: (dir) => ({ 'config.toml': `version = 2\nroot = "${dir}/root"\n`, root: '' }),
    ours: true,
  },
  'a folder with other content is not touched': {
    files: () => ({ 'thesis.tex': '' }),
    ours: false,
  },
  'nor is the configuration of another containerd': {
    files: () => ({ 'config.toml': 'version = 2\nroot = "/var/lib/containerd"\n' }),
    ours: false,
  },
};

for (const [title, { files, ours }] of Object.entries(cases)) {
  test(title, async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'reprise-claim-'));
    t.teardown(() => rm(dir, { recursive: true }));
    for (const [name, content] of Object.entries(files(dir))) {
      await writeFile(join(dir, name), content);
    }
    if (ours) await t.notThrowsAsync(claim(instanceAt(dir)));
    else await t.throwsAsync(claim(instanceAt(dir)), { message: /not that of a private/ });
  });
}
