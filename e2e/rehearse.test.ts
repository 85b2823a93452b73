// `reprise rehearse`: finds out what does not survive sudden restarts, lets pass what does, and
// leaves nothing behind.
import fs from 'node:fs/promises';
import path from 'node:path';
import type { RehearsalReport } from '../src/rehearse/report.ts';
import { container, initContainer, pod } from './manifests.ts';
import type { ManifestOf } from './manifests.ts';
import type { Place } from './node.ts';
import { generationOf, until } from './node.ts';
import { napping, PATIENCE_MS, timeScale } from './pace.ts';
import { sharedNode } from './shared.ts';
import { testInTurn } from './turns.ts';

const test = testInTurn(2);
// No agent: each test has its own, or none.
const node = sharedNode(() => Promise.resolve());

async function place(name: string): Promise<Place> {
  return await node().beside(name);
}

const lives = `${napping}
while :; do nap; done`;
/** The middle of an init container: for as long as the shared volume has this file. */
const inItsMiddle = `${napping}
while [ -e /shared/hold ]; do nap; done`;

/** Counts as up only when it has done what its next run, or another container, is to find. */
function upWhen(done: string): Record<string, unknown> {
  const exec = { command: ['sh', '-c', done] };
  return { readinessProbe: { exec, periodSeconds: 1, timeoutSeconds: 3600 } };
}

/** Lets the init containers of a copy go on after the second restart, which has hit one of them. */
async function letGoAfterTheHit(here: Place, name: string): Promise<void> {
  await until('the copy is there', () => here.pod(name).catch(() => undefined));
  const hit = await here.podThat(name, 'was hit', (one) => generationOf(one) === 2);
  await fs.rm(path.join(here.volume(hit), 'hold'));
}

interface Rehearsed {
  readonly code: number | undefined;
  readonly report: RehearsalReport;
  readonly told: string;
}

/** Rehearses with JSON as the result; the lines for people are on standard error then. */
async function rehearse(
  here: Place,
  manifest: ManifestOf,
  ...args: readonly string[]
): Promise<Rehearsed> {
  const file = await here.manifest(manifest);
  const timeout = ['--timeout', `${Math.ceil(PATIENCE_MS * timeScale)}ms`];
  const { exitCode, stdout, stderr } = await here.reprise([
    ...['rehearse', '-f', file, '-o', 'json', '--settle', '300ms', ...timeout],
    ...args,
  ]);
  try {
    return { code: exitCode, report: JSON.parse(stdout) as RehearsalReport, told: stderr };
  } catch (error) {
    throw new Error(`no report: ${stdout}\n${stderr}`, { cause: error });
  }
}

test('a well-behaved pod passes, and is hit in the middle of its init container, too', async (t) => {
  const here = await place('good');
  const setup = `mkdir -p /shared/a; sleep 0.5; ${inItsMiddle}; touch /shared/a/done`;
  const holds = `[ -e /shared/held ] || touch /shared/hold /shared/held; ${lives}`;
  const good = pod(
    'good',
    [initContainer('setup', setup)],
    [container('main', holds, upWhen('[ -e /shared/held ]'))],
  );
  // With this seed the second restart, and no other one, is to hit the init container.
  const [{ code, report, told }] = await Promise.all([
    rehearse(here, good, '--restarts', '6', '--seed', '7'),
    letGoAfterTheHit(here, 'good-rehearsal'),
  ]);
  t.is(code, 0, told);
  t.like(report, { pod: 'default/good', copy: 'default/good-rehearsal', seed: 7 });
  t.is(report.restarts.length, 6);
  t.deepEqual(
    report.restarts.map(({ number }) => number),
    [1, 2, 3, 4, 5, 6],
  );
  t.true(report.restarts.every(({ outcome }) => outcome === 'back' || outcome === 'cut-short'));
  t.true(report.restarts.some(({ hit }) => hit.kind === 'init' && hit.container === 'setup'));
  for (const { outcome, tookMs } of report.restarts) {
    t.is(typeof tookMs, outcome === 'back' ? 'number' : 'undefined');
    // The init container alone takes that long.
    if (tookMs !== undefined) t.true(tookMs >= 500, String(tookMs));
  }
  const [judged] = report.initContainers;
  t.like(judged, { container: 'setup', verdict: 'reentrant' });
  t.true((judged?.afterCompleting ?? 0) >= 1);
  t.true((judged?.afterKill ?? 0) >= 1);
  t.true(report.summary.survives);
  t.regex(told, /default\/good survives being restarted in place/);
  t.deepEqual(await here.traces(), []);
});

test('an init container that cannot run again is found out, with its last words', async (t) => {
  const here = await place('mkdir');
  const bad = pod(
    'bad',
    [initContainer('setup', 'mkdir /shared/made')],
    [container('main', lives)],
  );
  const { code, report, told } = await rehearse(here, bad);
  t.is(code, 1, told);
  // It goes on no further.
  t.is(report.restarts.at(-1)?.outcome, 'not-back');
  t.like(report.restarts.at(-1)?.failure, { container: 'setup', kind: 'init', exitCode: 1 });
  const [setup] = report.initContainers;
  t.like(setup, { container: 'setup', verdict: 'not reentrant' });
  t.is(setup?.failure?.exitCode, 1);
  t.regex(setup?.failure?.log?.join('\n') ?? '', /mkdir: .*\/shared\/made.*File exists/);
  // On a busy machine it can be hit between its folder and its end.
  const ends = { completing: 'it had completed', 'a kill': 'it had been killed in its middle' };
  const end = ends[setup?.failure?.after ?? 'completing'];
  t.regex(told, new RegExp(`NOT REENTRANT: after ${end}, its next run exited with code 1`));
  t.deepEqual(await here.traces(), []);
});

test('an init container that cannot go on where it was killed is found out', async (t) => {
  const here = await place('half-done');
  const script = `
    if [ -e /shared/done ]; then exit 0; fi
    mkdir /shared/half || { echo 'somebody works on it'; exit 3; }
    sleep 1.5; ${inItsMiddle}; rmdir /shared/half; touch /shared/done`;
  const forgets = `rm -f /shared/done; touch /shared/hold; ${lives}`;
  const bad = pod(
    'half',
    [initContainer('setup', script)],
    [container('main', forgets, upWhen('[ -e /shared/hold ]'))],
  );
  // With this seed the second restart hits the init container, as late as a run without a hold takes.
  const { code, report, told } = await rehearse(here, bad, '--restarts', '8', '--seed', '36');
  t.is(code, 1, told);
  const [setup] = report.initContainers;
  t.like(setup, { container: 'setup', verdict: 'not reentrant' });
  t.like(setup?.failure, { after: 'a kill', exitCode: 3 });
  t.true(setup?.failure?.log?.includes('somebody works on it'));
  t.deepEqual(await here.traces(), []);
});

test('an init container that fails until something is there does so in a first start, too, and passes', async (t) => {
  const here = await place('waits');
  // Of each start the first try comes too early for what it waits for.
  const script = `
    if [ -e /shared/there ]; then rm /shared/there; exit 0; fi
    touch /shared/there; echo 'not there yet'; exit 4`;
  const waits = pod(
    'waits',
    [initContainer('setup', script, { restartPolicy: 'OnFailure' })],
    [container('main', lives)],
  );
  const { code, report, told } = await rehearse(here, waits, '--restarts', '3');
  t.is(code, 0, told);
  const [setup] = report.initContainers;
  t.like(setup, { container: 'setup', verdict: 'fails at times' });
  t.like(setup?.failure, { after: 'completing', exitCode: 4 });
  t.regex(told, /"setup" fails at times, and comes back: it exited with code 4 \(Error\)/);
  t.true(report.summary.survives);
  t.deepEqual(await here.traces(), []);
});

test('an app whose lock file outlives it is found out; --keep-going tries fresh copies', async (t) => {
  const here = await place('lock');
  const script = `
    if [ -e /shared/lock ]; then echo "locked by $(cat /shared/lock)"; exit 5; fi
    echo 1 > /shared/lock; trap 'rm /shared/lock; exit 0' TERM; ${lives}`;
  const locks = pod('locks', [], [container('main', script, upWhen('grep 1 /shared/lock'))]);
  const { code, report, told } = await rehearse(here, locks, '--restarts', '3', '--keep-going');
  t.is(code, 1, told);
  const judged = report.restarts.filter(({ outcome }) => outcome !== 'cut-short');
  t.true(judged.length > 1);
  for (const { outcome, failure } of judged) {
    t.is(outcome, 'not-back');
    t.like(failure, { container: 'main', exitCode: 5, log: ['locked by 1'] });
  }
  t.is(report.restarts.length, 3);
  t.false(report.summary.survives);
  t.deepEqual(await here.traces(), []);
});

test('a pod that is done before it has settled is hit before, and judged by how it gets done', async (t) => {
  const here = await place('job');
  // Only the first copy is done before it is hit; the next run after a hit is done at once.
  const script = `
    if [ ! -e /copies/first ]; then touch /copies/first; exec sleep 1; fi
    if [ ! -e /shared/hit ]; then touch /shared/hit; exec sleep 1000; fi`;
  const main = container('main', script, {
    volumeMounts: [
      { name: 'shared', mountPath: '/shared' },
      { name: 'copies', mountPath: '/copies' },
    ],
  });
  const volumes = [
    { name: 'shared', emptyDir: {} },
    { name: 'copies', hostPath: { path: here.dir, type: 'Directory' } },
  ];
  const job = pod('job', [], [main], { volumes });
  const { code, report, told } = await rehearse(here, job, '--restarts', '3', '--settle', '5s');
  t.is(code, 0, told);
  t.is(report.restarts.length, 3);
  const judged = report.restarts.filter(({ outcome }) => outcome !== 'cut-short');
  t.true(judged.length > 0);
  t.true(judged.every(({ outcome }) => outcome === 'completed' || outcome === 'back'));
  t.deepEqual(await here.traces(), []);
});

test('in an agent of many pods, the original and the others are left alone', async (t) => {
  const here = await place('agent');
  await here.agent();
  const locks = pod(
    'twin',
    [initContainer('setup', 'test ! -e /shared/no')],
    [container('main', lives)],
  );
  await here.apply(locks);
  const up = (await here.podThat('twin', 'is up', ({ status }) => status.phase === 'Running'))
    .metadata;
  const { code, report, told } = await rehearse(here, locks, '--restarts', '2');
  t.is(code, 0, told);
  t.is(report.restarts.length, 2);
  const after = await here.pod('twin');
  t.is(after.metadata.uid, up.uid);
  t.is(after.metadata.annotations?.['reprise.dev/generation'], undefined);
  t.is((await here.ok('get', 'pods', '-o', 'name')).trim(), 'pod/twin');
  await here.ok('delete', 'pod', 'twin', '--force');
  await until('nothing is left', async () => (await here.traces()).length === 0);
});

test('Ctrl-C in its middle leaves nothing', async (t) => {
  const here = await place('interrupted');
  const file = await here.manifest(pod('long', [], [container('main', lives)]));
  const run = here.reprise(['rehearse', '-f', file, '--restarts', '500', '--settle', '100ms']);
  for await (const line of run.iterable({ from: 'stdout' })) {
    if (/^restart +2\/500 /.test(line)) run.kill('SIGINT');
  }
  const { exitCode, stderr } = await run;
  t.is(exitCode, 130);
  t.is(stderr, 'removing the copy; once more leaves it behind');
  t.deepEqual(await here.traces(), []);
});

test('what a killed rehearsal has left is removed by the next one', async (t) => {
  const here = await place('killed');
  const manifest = pod('again', [], [container('main', lives)]);
  const file = await here.manifest(manifest);
  const run = here.reprise(['rehearse', '-f', file, '--restarts', '500', '--settle', '100ms']);
  for await (const line of run.iterable({ from: 'stdout' })) {
    if (/^restart +1\/500 /.test(line)) run.kill('SIGKILL');
  }
  await run;
  t.not((await here.traces()).length, 0);
  const { code, told } = await rehearse(here, manifest, '--restarts', '1');
  t.is(code, 0, told);
  t.regex(told, /again-rehearsal is left from an earlier rehearsal and is removed first/);
  t.deepEqual(await here.traces(), []);
});

test('what cannot be rehearsed is told by the exit code', async (t) => {
  const here = await place('wrong');
  const nothing = await here.reprise(['rehearse', '-f', '/nowhere/pod.yaml']);
  t.is(nothing.exitCode, 2);
  const file = await here.manifest(pod('pod', [], [container('main', lives)]));
  const unreachable = await here.reprise(['rehearse', '-f', file, '--containerd', '/nowhere/sock']);
  t.is(unreachable.exitCode, 3);
  const broken = pod('broken', [], [container('main', 'echo oh no; exit 9')]);
  const { code, report } = await rehearse(here, broken);
  t.is(code, 1);
  t.deepEqual(report.restarts, []);
  t.like(report.startFailure, { container: 'main', exitCode: 9, log: ['oh no'] });
  t.deepEqual(await here.traces(), []);
});
