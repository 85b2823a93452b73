// `reprise rehearse`: finds out what does not survive sudden restarts, lets pass what does, and
// leaves nothing behind.
import type { RehearsalReport } from '../src/rehearse/report.ts';
import { container, initContainer, pod } from './manifests.ts';
import type { ManifestOf } from './manifests.ts';
import type { Place } from './node.ts';
import { until } from './node.ts';
import { napping, timeScale } from './pace.ts';
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
/** Long enough to be hit in its middle, on a busy machine too. */
const takesItsTime = 'sleep 1.5';

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
  const timeout = ['--timeout', `${60 * timeScale}s`];
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
  const good = pod(
    'good',
    [initContainer('setup', `mkdir -p /shared/a; ${takesItsTime}; touch /shared/a/done`)],
    [container('main', lives)],
  );
  const { code, report, told } = await rehearse(here, good, '--restarts', '6', '--seed', '7');
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
    if (tookMs !== undefined) t.true(tookMs >= 1500, String(tookMs));
  }
  const [setup] = report.initContainers;
  t.like(setup, { container: 'setup', verdict: 'reentrant' });
  t.true((setup?.afterCompleting ?? 0) >= 1);
  t.true((setup?.afterKill ?? 0) >= 1);
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
  t.like(setup?.failure, { after: 'completing', exitCode: 1 });
  t.regex(setup?.failure?.log?.join('\n') ?? '', /mkdir: .*\/shared\/made.*File exists/);
  t.regex(told, /NOT REENTRANT: after it had completed, its next run exited with code 1/);
  t.deepEqual(await here.traces(), []);
});

test('an init container that cannot go on where it was killed is found out', async (t) => {
  const here = await place('half-done');
  const script = `
    if [ -e /shared/done ]; then exit 0; fi
    mkdir /shared/half || { echo 'somebody works on it'; exit 3; }
    ${takesItsTime}; rmdir /shared/half; touch /shared/done`;
  // Every copy is fresh, and its first start is hit, too, sooner or later.
  const forgets = `rm -f /shared/done; ${lives}`;
  const bad = pod('half', [initContainer('setup', script)], [container('main', forgets)]);
  const { code, report, told } = await rehearse(here, bad, '--restarts', '8', '--seed', '3');
  t.is(code, 1, told);
  const [setup] = report.initContainers;
  t.like(setup, { container: 'setup', verdict: 'not reentrant' });
  t.like(setup?.failure, { after: 'a kill', exitCode: 3 });
  t.true(setup?.failure?.log?.includes('somebody works on it'));
  t.deepEqual(await here.traces(), []);
});

test('an app whose lock file outlives it is found out; --keep-going tries fresh copies', async (t) => {
  const here = await place('lock');
  const script = `
    if [ -e /shared/lock ]; then echo "locked by $(cat /shared/lock)"; exit 5; fi
    echo 1 > /shared/lock; trap 'rm /shared/lock; exit 0' TERM; ${lives}`;
  const locks = pod('locks', [], [container('main', script)]);
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
  const job = pod('job', [], [container('main', 'sleep 1')]);
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
