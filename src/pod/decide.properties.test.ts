// What holds for every pod, whatever its processes do and whatever goes wrong around it.
import test from 'ava';
import fc from 'fast-check';
import type { Disturbance, Life } from '../testing/random-life.ts';
import { describeLife, lives, play } from '../testing/random-life.ts';
import type { Behaviour } from '../testing/simulated-node.ts';
import { SimulatedNode, containerStatuses } from '../testing/simulated-node.ts';
import { referencePod } from '../testing/builders.ts';
import { probeKinds, probeOf } from './handler.ts';
import { isEphemeral } from './instances.ts';
import { isTerminal } from './phase.ts';
import type { Pod } from './pod.ts';
import { containersOf } from './pod.ts';
import { restartsOf } from './restart-record.ts';
import { afterExit } from './restart-rules.ts';

/** Longer than any back-off and any run of a process. */
const LONG_MS = 1_200_000;
const LIFE_MS = 2 * LONG_MS;
/** Actions within one virtual second, for each container of the pod. */
const BUSY = 30;

function lived(life: Life): SimulatedNode {
  const node = play(life);
  const end = node.run({ forMs: LIFE_MS });
  expectNone(node.faults);
  expectNone(unrecorded(node));
  expect(end !== 'out of steps', 'it goes round and round');
  const size = containersOf(life.pod).length;
  expect(node.busiestSecond <= BUSY * size, `${node.busiestSecond} actions in one second`);
  const isQuiet = node.now - node.runtime.lastStartAt >= LONG_MS;
  if (end === 'at rest' || (isQuiet && hasProbes(life.pod))) expectNone(whatIsMissing(node));
  else expect(!isQuiet, 'it neither rests nor starts anything');
  return node;
}

/** Restarts that nothing is left of, or too much: each is on record once, or under way. */
function unrecorded({ pod, memory, observed }: SimulatedNode): string[] {
  const all = restartsOf({ pod, observed }, memory);
  return all
    .flatMap(({ generation, completedAt, cutShortAt }, index) => {
      const isDue = generation === memory.generation - all.length + 1 + index;
      const ends = [completedAt, cutShortAt].filter((end) => end !== undefined).length;
      const isOpen = index === all.length - 1 && memory.restart !== undefined;
      return isDue && ends === (isOpen ? 0 : 1)
        ? []
        : [`restart ${generation} is not as it should be`];
    })
    .concat(memory.generation > 0 && all.length === 0 ? ['no restart is on record'] : []);
}

/** Whether something goes on in a pod for ever although nothing happens to it. */
function hasProbes(pod: Pod): boolean {
  return containersOf(pod).some(({ container }) =>
    probeKinds.some((kind) => probeOf(container, kind) !== undefined),
  );
}

/** At rest, everything is as pod and exit codes ask for; told by the truth of the runtime alone. */
function whatIsMissing(node: SimulatedNode): string[] {
  if (node.forgotten) return [];
  const { phase } = node.status;
  if (phase !== 'Unknown' && isTerminal(phase))
    return node.living.map((name) => `${name} outlived its pod`);
  const missing: string[] = [];
  for (const { container, kind } of containersOf(node.pod)) {
    const { name } = container;
    if (node.living.includes(name)) {
      if (kind === 'init') return missing; // It works, all others wait for it.
      continue;
    }
    const last = node.runtime.runs.findLast((run) => run.name === name);
    if (last?.code === undefined) missing.push(`${name} was never started`);
    else if (kind === 'init' && last.code !== 0) missing.push(`${name} is not tried again`);
    else if (kind === 'sidecar') missing.push(`${name} is down`);
    else if (kind === 'app') {
      const exit = { exitCode: last.code, reason: 'Error' };
      const after = afterExit(node.pod, container, kind, exit).kind;
      if (after !== 'leave') missing.push(`${name} is not started again`);
    }
  }
  return [...missing, ...guestsMissing(node)];
}

/** Ephemeral containers that nothing keeps from running, and that never have. */
function guestsMissing(node: SimulatedNode): string[] {
  const { ephemeralContainers = [] } = node.pod.spec;
  return ephemeralContainers
    .filter(({ name }) => !node.runtime.runs.some((run) => run.name === name))
    .filter(
      ({ targetContainerName: target }) => target === undefined || node.living.includes(target),
    )
    .map(({ name }) => `${name} was never started`);
}

/** What was done to ephemeral containers that have run, while the pod went on. */
function interferences(node: SimulatedNode): string[] {
  // One whose start was given up never ran: it is removed, and another one takes its place.
  const ids = node.runtime.runs.filter(isEphemeral).map(({ id }) => id);
  return node.story.filter(
    (line) => /^(stop|kill|remove|prove gone) /.test(line) && ids.some((id) => hasWord(line, id)),
  );
}

function hasWord(line: string, word: string): boolean {
  return line.split(/[ ()]/).includes(word);
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

function expectNone(faults: readonly string[]): void {
  expect(faults.length === 0, faults.join('\n'));
}

/** Fails with the simplest life that breaks the promise, and its transcript. */
function holds(arbitrary: fc.Arbitrary<Life>, numRuns: number, check: (life: Life) => void): void {
  const result = fc.check(fc.property(arbitrary, check), { numRuns, ...settings() });
  if (!result.failed) return;
  const [life] = result.counterexample ?? [];
  if (life === undefined) throw new Error(fc.defaultReportMessage(result));
  const node = play(life);
  node.run({ forMs: LIFE_MS, steps: 500 });
  const why = result.errorInstance instanceof Error ? result.errorInstance.message : '';
  const how = [describeLife(life), ...node.transcript.slice(0, 150)].join('\n');
  throw new Error(`${why}\nseed ${result.seed}, ${result.numRuns} runs\n${how}`);
}

/** FC_SEED and FC_RUNS try other or more lives than usual. */
function settings(): { seed?: number; numRuns?: number } {
  const { FC_SEED, FC_RUNS } = process.env;
  return {
    ...(FC_SEED !== undefined && { seed: Number(FC_SEED) }),
    ...(FC_RUNS !== undefined && { numRuns: Number(FC_RUNS) }),
  };
}

test('any pod comes to rest or goes on for a reason, in one sandbox, with true counts', (t) => {
  holds(lives(['restart'], 2), 150, (life) => {
    const node = lived(life);
    expect(node.runtime.sandboxesMade <= 1, 'the sandbox did not survive');
    for (const { name, restartCount, state } of containerStatuses(node.status)) {
      if (state.running === undefined) continue;
      const starts = node.runtime.starts.get(name) ?? 0;
      expect(
        restartCount === starts - 1,
        `${name} started ${starts} times, counted ${restartCount}`,
      );
    }
  });
  t.pass();
});

const disturbances: Disturbance['kind'][] = ['crash agent', 'crash agent', 'restart'];

test('crashes of the agent change nothing of that', (t) => {
  holds(lives(disturbances, 4), 150, (life) => {
    const node = lived(life);
    expect(node.runtime.sandboxesMade <= 1, 'the sandbox did not survive');
  });
  t.pass();
});

test('neither a restart nor a crash of the agent touches an ephemeral container', (t) => {
  holds(lives([...disturbances, 'debug', 'debug', 'debug'], 6), 150, (life) => {
    const node = lived(life);
    if (node.memory.ending !== undefined) return;
    expectNone(interferences(node));
    for (const { name, targetContainerName } of node.pod.spec.ephemeralContainers ?? []) {
      const run = node.runtime.runs.find((one) => one.name === name);
      const mayEnd = life.behaviours[name]?.[0]?.runsMs !== undefined;
      if (run === undefined || targetContainerName !== undefined || mayEnd) continue;
      if (run.couldNotStart !== true) expect(node.living.includes(name), `${name} has ended`);
    }
  });
  t.pass();
});

const losses: Disturbance['kind'][] = ['crash machine', 'kill sandbox', 'lose container'];

test('neither do losses: of the machine, the sandbox, a container; but for the sandbox', (t) => {
  holds(lives([...disturbances, ...losses, 'debug'], 4), 150, (life) => {
    lived(life);
  });
  t.pass();
});

test('nothing is started with what its ConfigMaps and Secrets held before they changed', (t) => {
  const changes: Disturbance['kind'][] = ['change objects', 'change objects', 'restart'];
  holds(lives([...changes, 'crash agent', 'kill sandbox'], 5), 150, (life) => {
    lived(life);
  });
  t.pass();
});

test('a deleted pod leaves nothing behind and is forgotten', (t) => {
  holds(lives([...disturbances, ...losses, 'debug', 'delete'], 5), 150, (life) => {
    const node = lived(life);
    // A request that a killed agent had not answered is made again.
    const wasAnswered = !life.disturbances.some(({ kind }) => kind.startsWith('crash'));
    const wasAsked = life.disturbances.some(({ kind }) => kind === 'delete');
    if (wasAsked && wasAnswered) expect(node.forgotten, 'it was not deleted');
    node.request({ kind: 'delete', force: false, at: node.now });
    expect(node.run() === 'at rest', 'it does not end');
    expectNone(node.faults);
    expect(node.forgotten, 'it was not forgotten');
    expectNone(node.left);
  });
  t.pass();
});

test('what is left over is bounded', (t) => {
  holds(lives(disturbances, 2), 100, (life) => {
    const node = lived(life);
    const size = containersOf(life.pod).length;
    const containers = node.left.length - node.sandboxIds.length;
    expect(containers <= 3 * size, `${containers} containers for a pod of ${size}`);
  });
  t.pass();
});

/** The reference pod with one in-place restart in it, and whatever else happens after so many steps. */
function referenceLife(standbys: boolean, steps: number, happens: (node: SimulatedNode) => void) {
  const runs: Record<string, readonly Behaviour[]> = {
    setup: [{ runsMs: 10, code: 0 }],
    // Longer than any downtime, so that the first run is complete in any case.
    watcher: [{ runsMs: 60_000, code: 88 }, {}],
    main: [{}],
  };
  const node = new SimulatedNode(referencePod(), {
    behave: (name, run) => runs[name]?.[run] ?? runs[name]?.at(-1) ?? {},
    settings: { standbys },
  });
  const isOver = node.run({ steps }) === 'at rest';
  happens(node);
  node.run();
  const { phase } = node.status;
  const counts = containerStatuses(node.status).map(
    ({ name, restartCount }) => `${name} ${restartCount}`,
  );
  const { generation } = node.memory;
  const living = node.living.toSorted();
  return { isOver, faults: node.faults, end: { phase, generation, counts, living } };
}

for (const standbys of [true, false]) {
  for (const downMs of [0, 7, 30_000]) {
    test(`a crash of the agent after any step ends in the same place: ${downMs} ms down, ${standbys ? 'with' : 'without'} standbys`, (t) => {
      const undisturbed = referenceLife(standbys, 0, () => undefined);
      t.is(undisturbed.end.generation, 1);
      for (let steps = 0; ; steps++) {
        const { isOver, faults, end } = referenceLife(standbys, steps, (node) =>
          node.crashAgent(downMs),
        );
        t.deepEqual(faults, [], `a crash after step ${steps}`);
        t.deepEqual(end, undisturbed.end, `a crash after step ${steps}`);
        if (isOver) break;
      }
    });
  }
}
