import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { Hierarchy } from './cgroups.ts';
import { oomKillsIn } from './oom-kills.ts';

const texts: Record<
  string,
  readonly [version: 1 | 2, text: string | undefined, kills: number | undefined]
> = {
  'v1 counts among other things': [1, 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n', 2],
  'old kernels do not count': [1, 'oom_kill_disable 0\nunder_oom 0\n', undefined],
  'v2 counts kills, not attempts': [2, 'high 0\nmax 3\noom 3\noom_kill 1\noom_group_kill 1\n', 1],
  'a cgroup that is gone tells nothing': [2, undefined, undefined],
};
for (const [title, [version, text, kills]] of Object.entries(texts)) {
  test(title, (t) => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-oom-'));
    t.teardown(() => fs.rmSync(root, { recursive: true }));
    const hierarchy: Hierarchy =
      version === 1 ? { version, root, controllers: { memory: root } } : { version, root };
    fs.mkdirSync(path.join(root, 'pod', 'c'), { recursive: true });
    const file = version === 1 ? 'memory.oom_control' : 'memory.events';
    if (text !== undefined) fs.writeFileSync(path.join(root, 'pod', 'c', file), text);
    t.is(oomKillsIn('/pod/c', hierarchy), kills);
  });
}
