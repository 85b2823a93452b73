// A real mount, which needs root and a kernel with huge pages; none of them has to be set aside for it.
import fs from 'node:fs/promises';
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import type { Container, PodSpec, Volume } from '../../pod/pod.ts';
import { aContainer, aPod } from '../../testing/builders.ts';
import { mountPoints } from '../mounts.ts';
import { makeEmptyDir } from './empty-dir.ts';
import { pageBytesOf } from './huge-pages.ts';

const mebibyte = 2 ** 20;
const hasPages = existsSync('/sys/kernel/mm/hugepages/hugepages-2048kB');
const testAsRoot = process.getuid?.() === 0 && hasPages ? test : test.skip;

type Medium = NonNullable<Volume['emptyDir']>['medium'];
const volume = (medium: Medium, sizeLimit?: string): Volume => ({
  name: 'pages',
  emptyDir: { medium, sizeLimit },
});
const limited = (limits: Record<string, string>): Container =>
  aContainer('main', { resources: { requests: {}, limits } });

const sizes: Record<string, readonly [Medium, Container, Partial<PodSpec>, number | undefined]> = {
  'a volume names the size of its pages': [
    'HugePages-1Gi',
    limited({ 'hugepages-2Mi': '2Mi' }),
    {},
    1024 * mebibyte,
  ],
  'or it takes those that a container has': [
    'HugePages',
    limited({ cpu: '1', 'hugepages-2Mi': '2Mi' }),
    {},
    2 * mebibyte,
  ],
  'or those that the pod has': [
    'HugePages',
    limited({}),
    { resources: { requests: {}, limits: { 'hugepages-2Mi': '2Mi' } } },
    2 * mebibyte,
  ],
  'a volume of another medium has none': [
    'Memory',
    limited({ 'hugepages-2Mi': '2Mi' }),
    {},
    undefined,
  ],
};
for (const [title, [medium, container, spec, bytes]] of Object.entries(sizes)) {
  test(title, (t) => t.is(pageBytesOf(aPod([], [container], spec), volume(medium)), bytes));
}

testAsRoot(
  'it is a file system of such pages, mounted once, with its size and its group',
  async (t) => {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-pages-'));
    const wish = { fsGroup: 4711, memoryBounds: [], pageBytes: 2 * mebibyte };
    const place = await makeEmptyDir(folder, volume('HugePages', '4Mi'), wish);
    try {
      await makeEmptyDir(folder, volume('HugePages', '4Mi'), wish);
      t.is((await mountPoints()).filter((each) => each === place).length, 1);
      const { bsize, blocks } = await fs.statfs(place);
      t.deepEqual([bsize, blocks], [2 * mebibyte, 2]);
      const { mode, gid } = await fs.stat(place);
      t.is((mode & 0o7777).toString(8), '2777');
      t.is(gid, 4711);
    } finally {
      await execa('umount', [place]);
      await fs.rm(folder, { recursive: true });
    }
  },
);
