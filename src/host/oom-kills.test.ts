import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { Hierarchy } from './cgroups.ts';
import { oomGroupKillsIn, oomKillsIn } from './oom-kills.ts';

type Case = readonly [
  version: 1 | 2,
  text: string | undefined,
  kills: number | undefined,
  groups: number | undefined,
];

const texts: Record<string, Case> = {
  'v1 counts among other things': [
    1,
    'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
    2,
    undefined,
  ],
  'old kernels do not count': [1, 'oom_kill_disable 0\nunder_oom 0\n', undefined, undefined],
  'v2 counts kills, not attempts': [
    2,
    'high 0\nmax 3\noom 3\noom_kill 2\noom_group_kill 1\n',
    2,
    1,
  ],
  'v2 of older kernels does not count groups': [2, 'oom 3\noom_kill 2\n', 2, undefined],
  'a cgroup that is gone tells nothing': [2, undefined, undefined, undefined],
};
for (const [title, [version, text, kills, groups]] of Object.entries(texts)) {
  test(title, (t) => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-oom-'));
    t.teardown(() => fs.rmSync(root, { recursive: true }));
    const hierarchy: Hierarchy =
      version === 1 ? { version, root, controllers: { memory: root } } : { version, root };
    fs.mkdirSync(path.join(root, 'pod', 'c'), { recursive: true });
    const file = version === 1 ? 'memory.oom_control' : 'memory.events';
    if (text !== undefined) fs.writeFileSync(path.join(root, 'pod', 'c', file), text);
    t.is(oomKillsIn('/pod/c', hierarchy), kills);
    t.is(oomGroupKillsIn('/pod/c', hierarchy), groups);
  });
}
