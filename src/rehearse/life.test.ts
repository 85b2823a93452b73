// What is kept of a pod's states: runs, how each ended, and whether all is up.
import test from 'ava';
import { aContainer, aPod, aSidecar, restartAllOn } from '../testing/builders.ts';
import { aShownPod, status } from '../testing/v1-pods.ts';
import type { V1ContainerState, V1ContainerStatus, V1Pod } from '../pod/pod-status.ts';
import { currentRun, givenUp, witness } from './life.ts';
import type { Life } from './life.ts';

const pod = aPod([aContainer('setup', restartAllOn(42))], [aContainer('main')]);

function shown(
  generation: number,
  setup: V1ContainerStatus,
  main: V1ContainerStatus = status('main', { waiting: { reason: 'PodInitializing' } }),
): V1Pod {
  const annotations = { 'reprise.dev/generation': String(generation) };
  return aShownPod({ init: [setup], main: [main], metadata: { annotations } });
}

function runs(name: string, id: string, lastState: V1ContainerState = {}): V1ContainerStatus {
  const state = { running: { startedAt: '2026-01-01T00:00:01Z' } };
  return status(name, state, { containerID: id, lastState });
}

function ended(id: string, exitCode: number, reason?: string): V1ContainerState {
  const why = reason ?? (exitCode === 0 ? 'Completed' : 'Error');
  return { terminated: { exitCode, reason: why, containerID: id } };
}

function over(name: string, id: string, exitCode: number, ready = exitCode === 0) {
  return status(name, ended(id, exitCode), { containerID: id, ready });
}

/** A life of these states, one each 10 ms. */
function lifeOf(...states: readonly V1Pod[]): Life {
  const [first, ...rest] = states;
  if (first === undefined) throw new Error('a life has states');
  return rest.reduce(
    (life, one, index) => witness(life, pod, one, (index + 1) * 10),
    witness(undefined, pod, first, 0),
  );
}

/** `setup.0 completed`, in order. */
function inWords({ runs }: Life): string[] {
  return runs.map((run) => `${run.container}.${run.generation} ${run.end?.how ?? 'runs'}`);
}

const cases: Record<string, readonly [Life, readonly string[]]> = {
  'a start': [
    lifeOf(
      shown(0, runs('setup', 's0')),
      shown(0, over('setup', 's0', 0)),
      shown(0, over('setup', 's0', 0), runs('main', 'm0')),
    ),
    ['setup.0 completed', 'main.0 runs'],
  ],
  'a kill in the middle of an init container': [
    lifeOf(
      shown(0, runs('setup', 's0')),
      shown(1, runs('setup', 's0')),
      shown(1, runs('setup', 's1', ended('s0', 137, 'RestartingAllContainers'))),
    ),
    ['setup.0 killed', 'setup.1 runs'],
  ],
  'a run that was over before it was seen': [
    lifeOf(shown(0, runs('setup', 's1', ended('s0', 1)))),
    ['setup.0 failed', 'setup.0 runs'],
  ],
  'an exit that a rule takes for a request': [
    lifeOf(shown(0, runs('setup', 's0')), shown(0, over('setup', 's0', 42))),
    ['setup.0 asked'],
  ],
  'an error that the restart has overtaken says nothing': [
    lifeOf(shown(0, runs('setup', 's0')), shown(1, runs('setup', 's1', ended('s0', 143, 'Error')))),
    ['setup.0 killed', 'setup.1 runs'],
  ],
  'an init container that ran out of memory has failed, whatever its code': [
    lifeOf(
      shown(0, runs('setup', 's0')),
      shown(0, status('setup', ended('s0', 0, 'OOMKilled'), { containerID: 's0' })),
    ),
    ['setup.0 failed'],
  ],
};
for (const [title, [life, words]] of Object.entries(cases)) {
  test(`runs: ${title}`, (t) => t.deepEqual(inWords(life), words));
}

test('times are those of the first sight', (t) => {
  const life = lifeOf(
    shown(0, runs('setup', 's0')),
    shown(0, runs('setup', 's0')),
    shown(0, over('setup', 's0', 0)),
    shown(0, over('setup', 's0', 0)),
  );
  t.like(life.runs[0], { startedAt: 0, end: { how: 'completed', at: 20 } });
});

test('last words are added when they come', (t) => {
  const said = status(
    'setup',
    { terminated: { exitCode: 1, reason: 'Error', message: 'no disk', containerID: 's0' } },
    { containerID: 's0' },
  );
  const life = lifeOf(
    shown(0, runs('setup', 's0')),
    shown(0, over('setup', 's0', 1)),
    shown(0, said),
  );
  t.like(life.runs[0]?.end, { how: 'failed', at: 10, message: 'no disk' });
});

test('it is up when init containers are done and all others run, and since then', (t) => {
  const up = shown(0, over('setup', 's0', 0), runs('main', 'm0'));
  t.is(lifeOf(shown(0, runs('setup', 's0'))).upSince, undefined);
  t.is(lifeOf(shown(0, runs('setup', 's0')), up, up).upSince, 10);
});

test('another run, or another generation, begins a new time', (t) => {
  const up = shown(0, over('setup', 's0', 0), runs('main', 'm0'));
  const again = shown(0, over('setup', 's0', 0), runs('main', 'm1', ended('m0', 1)));
  t.is(lifeOf(up, again).upSince, 10);
  const next = shown(1, over('setup', 's1', 0), runs('main', 'm1'));
  t.is(lifeOf(up, next, next).upSince, 10);
});

test('a container that is done and stays so does not keep the pod from being up', (t) => {
  const two = aPod([], [aContainer('once'), aContainer('main')], { restartPolicy: 'OnFailure' });
  const state = aShownPod({ main: [over('once', 'o', 0, false), runs('main', 'm')] });
  t.is(witness(undefined, two, state, 5).upSince, 5);
  const always = aPod([], [aContainer('once'), aContainer('main')], { restartPolicy: 'Always' });
  t.is(witness(undefined, always, state, 5).upSince, undefined);
});

test('a sidecar that is missing keeps it from being up', (t) => {
  const withSidecar = aPod([aSidecar('watcher')], [aContainer('main')]);
  const waits = status('watcher', { waiting: {} });
  const state = aShownPod({ init: [waits], sidecars: ['watcher'], main: [runs('main', 'm')] });
  t.is(witness(undefined, withSidecar, state, 5).upSince, undefined);
});

test('a run that was given up hangs, and is not the current run of a later generation', (t) => {
  const life = givenUp(lifeOf(shown(0, runs('setup', 's0'))), 's0', 99);
  t.deepEqual(inWords(life), ['setup.0 hung']);
  t.is(currentRun(life, 'setup')?.id, 's0');
  t.is(currentRun({ ...life, generation: 1 }, 'setup'), undefined);
});
