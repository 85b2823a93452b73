// Real processes in real cgroups; so these need root and a writable cgroup file system.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { canForbidWatches, outputWithoutWatches } from '../testing/without-watches.ts';
import {
  CgroupError,
  findHierarchy,
  directProcessesIn,
  isEmpty,
  processDirectoryOf,
  processesIn,
  subtreeOf,
} from './cgroups.ts';
import type { Hierarchy } from './cgroups.ts';
import { killContainers, whenEmpty } from './kill.ts';

const never = new AbortController().signal;
/** However busy the machine is: that it gives up in time is not what is tried here. */
const patienceMs = 240_000;
const freezeTimeoutMs = patienceMs;

interface Lab {
  readonly hierarchy: Hierarchy;
  /** Makes a cgroup and runs a shell script in it until it prints a line. */
  start(name: string, script: string): Promise<string>;
  name(name: string): string;
}

/** Some cgroups of one test; nothing of them is left when it is disposed of. */
function lab(t: ExecutionContext, hierarchy: Hierarchy): Lab & AsyncDisposable {
  const parent = `/reprise-test-${process.pid}-${t.title.replaceAll(/\W+/g, '-')}`;
  const name = (child: string): string => `${parent}/${child}`;
  return {
    hierarchy,
    name,
    async start(child, script) {
      const cgroup = name(child);
      const directory = processDirectoryOf(cgroup, hierarchy);
      fs.mkdirSync(directory, { recursive: true });
      const unified = unifiedOf(cgroup, hierarchy);
      if (unified !== undefined) fs.mkdirSync(unified, { recursive: true });
      const join = [directory, unified]
        .map((each) => (each === undefined ? '' : `echo $$ > ${each}/cgroup.procs;`))
        .join(' ');
      const shell = spawn('bash', ['-c', `${join} ${script}`], {
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, CGROUP: directory },
        detached: true,
      });
      shell.unref();
      await once(shell.stdout, 'data');
      return cgroup;
    },
    async [Symbol.asyncDispose]() {
      const directory = path.dirname(processDirectoryOf(name('x'), hierarchy));
      const children = fs.readdirSync(directory, { withFileTypes: true });
      const cgroups = children.filter((each) => each.isDirectory()).map((each) => name(each.name));
      await killContainers(cgroups, { hierarchy, freezeTimeoutMs });
      t.deepEqual(await whenEmpty(cgroups, never, patienceMs, hierarchy), []);
      for (const each of [directory, unifiedOf(parent, hierarchy)]) {
        for (const sub of subtreeOf(each ?? '').toReversed()) await removeSoon(sub);
      }
    },
  };
}

/** Where a container is in the v2 tree of a hybrid set-up. */
function unifiedOf(cgroup: string, hierarchy: Hierarchy): string | undefined {
  const unified = hierarchy.version === 1 ? hierarchy.controllers['unified'] : undefined;
  return unified === undefined ? undefined : path.join(unified, cgroup);
}

async function removeSoon(directory: string): Promise<void> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    try {
      fs.rmdirSync(directory);
      return;
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await sleep(10);
    }
  }
}

/** This machine's cgroups in each of the three ways they may be set up, as far as it has them. */
function hierarchies(): readonly { title: string; hierarchy: Hierarchy | undefined }[] {
  const [main, beside] = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].map(findWritable);
  const v2 = [main, beside].find((each) => each?.version === 2);
  const hybrid = main?.version === 1 && beside?.version === 2 ? main : undefined;
  const { unified: _, ...controllers } = main?.version === 1 ? main.controllers : {};
  const v1 = main?.version === 1 ? { ...main, controllers } : undefined;
  return [
    { title: 'cgroup v1', hierarchy: v1 },
    { title: 'cgroup v2', hierarchy: v2 },
    { title: 'hybrid cgroups', hierarchy: hybrid },
  ];
}

function findWritable(root: string): Hierarchy | undefined {
  try {
    const hierarchy = findHierarchy(root);
    const probe = processDirectoryOf(`/reprise-test-probe-${process.pid}/x`, hierarchy);
    fs.mkdirSync(path.dirname(probe));
    fs.rmdirSync(path.dirname(probe));
    return hierarchy;
  } catch {
    return undefined;
  }
}

for (const { title, hierarchy } of hierarchies()) {
  if (hierarchy === undefined) {
    test.skip(`${title}: not here, or not writable for this user`, () => undefined);
    continue;
  }

  test(`${title}: all processes of all containers die, whatever they do, and nothing else`, async (t) => {
    await using cgroups = lab(t, hierarchy);
    const stubborn = await cgroups.start(
      'stubborn',
      'trap "" TERM INT HUP; sleep 1000 & echo; wait',
    );
    const scattered = await cgroups.start(
      'scattered',
      '(setsid sleep 1000 &) ; (setsid setsid sleep 1000 &) ; echo; sleep 1000',
    );
    const nested = await cgroups.start(
      'nested',
      `mkdir -p $CGROUP/a/b; (echo $BASHPID > $CGROUP/a/b/cgroup.procs; exec sleep 1000) &
       until grep -q . $CGROUP/a/b/cgroup.procs; do sleep 0.01; done; echo; sleep 1000`,
    );
    const pause = await cgroups.start('pause', 'echo; exec sleep 1000');
    const all = [stubborn, scattered, nested];

    const first = all.map((each) => directProcessesIn(processDirectoryOf(each, hierarchy))[0] ?? 0);

    const { killed, caught, missing, leftovers } = await killContainers(all, {
      hierarchy,
      freezeTimeoutMs,
    });

    for (const [index, each] of all.entries())
      t.true(caught.get(each)?.includes(first[index] ?? -1));

    t.true(killed >= 6, `killed ${killed}`);
    t.deepEqual({ missing, leftovers }, { missing: [], leftovers: [] });
    t.deepEqual(await whenEmpty(all, never, patienceMs, hierarchy), []);
    t.deepEqual(
      all.map((each) => isEmpty(each, hierarchy)),
      [true, true, true],
    );
    t.is(processesIn(processDirectoryOf(pause, hierarchy)).length, 1);
  });

  test(`${title}: nobody outruns it by forking`, async (t) => {
    await using cgroups = lab(t, hierarchy);
    // Bounded: each of three generations of processes makes at most a few hundred.
    const bomb = await cgroups.start(
      'bomb',
      'echo; grow() { for i in $(seq 300); do (sleep 1000 & sleep 1000) & done; wait; }; grow & grow',
    );
    await sleep(100);

    const { leftovers } = await killContainers([bomb], { hierarchy, freezeTimeoutMs });

    t.deepEqual(leftovers, []);
    t.deepEqual(await whenEmpty([bomb], never, patienceMs, hierarchy), []);
    await sleep(50);
    t.true(isEmpty(bomb, hierarchy));
  });

  test(`${title}: a cgroup that is not there, or has nobody in it, is nothing to kill`, async (t) => {
    await using cgroups = lab(t, hierarchy);
    const empty = cgroups.name('empty');
    fs.mkdirSync(processDirectoryOf(empty, hierarchy), { recursive: true });
    const absent = cgroups.name('absent');

    const result = await killContainers([absent, empty], { hierarchy });

    t.like(result, { killed: 0, missing: [absent], leftovers: [] });
    t.deepEqual(await whenEmpty([absent, empty], never, patienceMs, hierarchy), []);
  });

  test(`${title}: what is frozen already dies too`, async (t) => {
    await using cgroups = lab(t, hierarchy);
    const [file, state] =
      hierarchy.version === 2 ? ['cgroup.freeze', '1'] : ['freezer.state', 'FROZEN'];
    const cgroup = await cgroups.start(
      'frozen',
      `mkdir $CGROUP/inner; (echo $BASHPID > $CGROUP/inner/cgroup.procs; exec sleep 1000) &
       until grep -q . $CGROUP/inner/cgroup.procs; do sleep 0.01; done; echo; sleep 1000`,
    );
    const directory = processDirectoryOf(cgroup, hierarchy);
    fs.writeFileSync(path.join(directory, 'inner', file), state);
    fs.writeFileSync(path.join(directory, file), state);

    await killContainers([cgroup], { hierarchy, freezeTimeoutMs });

    t.deepEqual(await whenEmpty([cgroup], never, patienceMs, hierarchy), []);
  });

  test(`${title}: waiting ends with the list of those who are still there`, async (t) => {
    await using cgroups = lab(t, hierarchy);
    const cgroup = await cgroups.start('waiting', 'echo; exec sleep 1000');
    // The line comes from the shell, which is still to become what it is known as.
    const [pid] = processesIn(processDirectoryOf(cgroup, hierarchy));
    while (fs.readFileSync(`/proc/${pid}/comm`, 'utf8') !== 'sleep\n') await sleep(10);

    const survivors = await whenEmpty([cgroup], never, 60, hierarchy);

    t.deepEqual(
      survivors.map((each) => [each.cgroup, each.command]),
      [[cgroup, 'sleep']],
    );
  });

  test(`${title}: waiting ends with an error when it is called off`, async (t) => {
    await using cgroups = lab(t, hierarchy);
    const cgroup = await cgroups.start('waiting', 'echo; exec sleep 1000');

    await t.throwsAsync(whenEmpty([cgroup], AbortSignal.timeout(30), patienceMs, hierarchy), {
      name: 'TimeoutError',
    });
  });

  test(`${title}: a name that means more than a container is refused`, async (t) => {
    for (const name of ['/', '', '/kubepods', 'kubepods/pod1', '/kubepods/..', '/a/../../b']) {
      await t.throwsAsync(killContainers([name], { hierarchy }), { instanceOf: CgroupError }, name);
    }
  });
}

(canForbidWatches ? test : test.skip)('who may not watch a cgroup looks until it is empty', (t) => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-kill-'));
  t.teardown(() => {
    fs.rmSync(root, { recursive: true });
  });
  const events = path.join(root, 'pod', 'container', 'cgroup.events');
  fs.mkdirSync(path.dirname(events), { recursive: true });
  fs.writeFileSync(events, 'populated 1');
  const survivors = outputWithoutWatches(`
    import fs from 'node:fs';
    import { whenEmpty } from ${JSON.stringify(new URL('kill.ts', import.meta.url).href)};
    const v2 = { version: 2, root: ${JSON.stringify(root)} };
    setTimeout(() => fs.writeFileSync(${JSON.stringify(events)}, 'populated 0'), 50);
    const never = new AbortController().signal;
    console.log(await whenEmpty(['/pod/container'], never, ${patienceMs}, v2));`);
  t.is(survivors, '[]\n');
});
