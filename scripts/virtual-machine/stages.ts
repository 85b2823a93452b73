/**
 * What is done with a running guest, each stage with results that stay when it is gone.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { add, count, inWords, nothing } from '../tap.ts';
import type { Tally } from '../tap.ts';
import { FOR_TESTS } from './image.ts';
import type { Machine } from './machine.ts';
import { PAYLOAD } from './payload.ts';
import { say, timed } from './progress.ts';
import { passedEarlier, recordOf } from './records.ts';

export const RUNTIMES = ['runc', 'crun'] as const;

/** A guest, and where its results go. */
export interface Guest {
  readonly machine: Machine;
  /** What runs containers by default. */
  readonly runtime: (typeof RUNTIMES)[number];
  /** A folder of this machine. */
  readonly results: string;
  /** What is in it: image, package and checkout, by their hashes. */
  readonly tested: string;
  /** Whether end-to-end tests that passed in an earlier run of just this are run again. */
  readonly again: boolean;
  readonly signal: AbortSignal;
}

const CHECKOUT = `${PAYLOAD}/checkout`;
const ROOT = dirname(dirname(import.meta.dirname));
/** How much more time tests get; emulated, everything takes some 20 times longer. */
const TIME_SCALES = { kvm: 2, tcg: 30 } as const;
/** Files of end-to-end tests that are run side by side: most of a test is waiting. */
const SIDE_BY_SIDE = 2;
/** Those that say most about a machine: a run that is ended early has told that much. */
const TELLING = [
  ...['in-place-restart', 'resources', 'recovery', 'gpu', 'run', 'volumes', 'hooks', 'security'],
  ...['probes', 'identity', 'images', 'last-words', 'logs'],
].map((name) => `e2e/${name}.test.ts`);

/** Makes it the default of containerd; both are configured by scripts/provision. */
export async function useRuntime({ machine, runtime }: Guest): Promise<void> {
  const file = '/etc/containerd/config.toml';
  await machine.ok(
    `sed -i 's/^  default_runtime_name = .*/  default_runtime_name = "${runtime}"/' ${file} && ` +
      `grep -q 'default_runtime_name = "${runtime}"' ${file} && systemctl restart containerd`,
  );
}

/** Writes down what machine this is. */
export async function facts({ machine, results }: Guest): Promise<void> {
  const questions: Readonly<Record<string, string>> = {
    system: '. /etc/os-release && echo "$PRETTY_NAME"',
    kernel: 'uname -r',
    systemd: 'systemctl --version | head -n 1',
    cgroups: 'stat -f -c %T /sys/fs/cgroup',
    containerd: 'containerd --version',
    runc: 'runc --version | head -n 1',
    crun: 'crun --version | head -n 1',
    node: 'node --version',
    reprise: 'reprise version | head -n 1',
  };
  const command = Object.values(questions)
    .map((one) => `{ ${one}; }`)
    .join('; ');
  const answers = (await machine.ok(command)).split('\n');
  const found = Object.keys(questions).map((name, index) => [name, answers[index] ?? ''] as const);
  const all = Object.fromEntries([...found, ['accelerator', machine.accelerator] as const]);
  for (const [name, value] of Object.entries(all)) console.log(`    ${name.padEnd(12)}${value}`);
  await writeFile(join(results, 'facts.json'), `${JSON.stringify(all, null, 2)}\n`);
}

/** The service on this machine: a pod, its restart in place, its cgroups, restarts of the service. */
export async function smoke(guest: Guest): Promise<Tally> {
  return await tests(guest, 'e2e/machine/service.test.ts', 'e2e/machine.config.js');
}

/** Restart times by `reprise bench`, on the machine's own containerd. */
export async function bench({ machine, results }: Guest): Promise<Tally> {
  const rounds = machine.accelerator === 'kvm' ? 20 : 5;
  const { exitCode, output } = await timed(`Benchmark, ${rounds} rounds`, () =>
    machine.run(
      `reprise bench --iterations ${rounds} --warm-up 1 --image localhost/reprise/busybox:1 -o json 2>/var/tmp/bench.log; ` +
        'code=$?; [ $code = 0 ] || cat /var/tmp/bench.log; exit $code',
    ),
  );
  await writeFile(join(results, 'bench.json'), output);
  return told('bench', exitCode);
}

/** The demonstration, as a new user runs it. */
export async function demo({ machine, results }: Guest): Promise<Tally> {
  await installTestPackages(machine);
  const { exitCode, output } = await timed('Demonstration', () =>
    machine.run(`${CHECKOUT}/scripts/demo`),
  );
  await writeFile(join(results, 'demo.txt'), output);
  return told('demo', exitCode);
}

/** The end-to-end tests, file by file; those that have passed already, in just this, are not run again. */
export async function endToEnd(guest: Guest, wanted: readonly string[]): Promise<Tally> {
  await installTestPackages(guest.machine);
  const files = (wanted.length > 0 ? wanted : await allEndToEnd()).values();
  let total = nothing;
  const runOneByOne = async (): Promise<void> => {
    for (const file of files) {
      const tally =
        (await sparedBy(guest, file)) ?? (await tests(guest, file, 'e2e/ava.config.js'));
      total = add(total, tally);
      guest.signal.throwIfAborted();
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, runOneByOne));
  return total;
}

async function allEndToEnd(): Promise<readonly string[]> {
  const there = (await readdir(join(ROOT, 'e2e')))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `e2e/${name}`);
  return [...new Set([...TELLING.filter((file) => there.includes(file)), ...there])];
}

async function installTestPackages(machine: Machine): Promise<void> {
  await machine.ok(
    'DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-download --no-install-recommends ' +
      `${FOR_TESTS.join(' ')} </dev/null && systemctl disable --now docker-registry`,
  );
}

/** What an earlier run has made of it, if that stands for this one. */
async function sparedBy(guest: Guest, file: string): Promise<Tally | undefined> {
  if (guest.again) return undefined;
  const record = await readFile(recordFile(guest, file), 'utf8').catch(() => undefined);
  const tally = passedEarlier(record, guest.tested);
  if (tally !== undefined) say(`${file}: ${inWords(tally)}, by an earlier run`);
  return tally;
}

function recordFile({ results }: Guest, file: string): string {
  return join(results, `${file.replaceAll('/', '-')}.tap`);
}

async function tests(guest: Guest, file: string, config: string): Promise<Tally> {
  const { machine, runtime, tested } = guest;
  const { accelerator } = machine;
  const scale = TIME_SCALES[accelerator];
  const environment = [
    `REPRISE_TEST_TIME_SCALE=${scale} CONTAINERD_RUNTIME=${runtime}`,
    `npm_config_cache=${PAYLOAD}/npm-cache npm_config_offline=true`,
    // Each command is a process of its own that would compile the same sources once more.
    'NODE_COMPILE_CACHE=/var/tmp/compile-cache',
  ].join(' ');
  say(file);
  const started = performance.now();
  const { exitCode, output } = await machine.run(
    `cd ${CHECKOUT} && ${environment} node node_modules/ava/entrypoints/cli.js --tap ` +
      `--config ${config} --concurrency 1 --timeout ${5 * scale}m ${file}`,
    { onLine: (line) => /^(not )?ok /.test(line) && console.log(`    | ${line}`) },
  );
  const seconds = Math.round((performance.now() - started) / 1000);
  const ran = output.split('\n').reduce(count, nothing);
  // A crash or a time-out is a failure that no test's line may tell of.
  const crashed = exitCode !== 0 && ran.failed === 0;
  const text = `${output}\n${crashed ? `not ok 0 ${file} ended with ${exitCode}\n` : ''}`;
  const record = recordOf({ file, seconds, accelerator, runtime, tested }, text);
  await writeFile(recordFile(guest, file), record);
  if (exitCode !== 0) console.log(output.split('\n').slice(-80).join('\n'));
  const tally = crashed ? { ...ran, failed: 1 } : ran;
  console.log(`    ${file}: ${inWords(tally)} (${seconds} s)`);
  return tally;
}

function told(what: string, exitCode: number): Tally {
  console.log(`    ${what}: exit code ${exitCode}`);
  return exitCode === 0 ? { ...nothing, passed: 1 } : { ...nothing, failed: 1 };
}
