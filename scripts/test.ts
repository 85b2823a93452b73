/**
 * Runs types, lint, unit tests and end-to-end tests, each to its end, and adds up how they went.
 *
 * The last line is `N passed, N failed`: every test, and types and lint as one each. Just before it
 * comes once more what has failed. A stage that fails does not keep the others from telling what they
 * know. Read next: tap.ts, vm-smoke.ts.
 */
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { containerdOf, isLine, LINES, ownContainerd } from './containerd-lines.ts';
import { add, count, inWords, noFailures, note, nothing, retell } from './tap.ts';
import type { Outcome, Tally } from './tap.ts';
import { isUsageError, tellError } from './tell-error.ts';
import { endToEndRuns, fits } from './test-plan.ts';
import type { EndToEndRun, Which, Wishes } from './test-plan.ts';
import { smokeInMachine } from './vm-smoke.ts';

const HELP = `Usage: scripts/test [--unit] [--e2e] [--containerd LINE] [--smoke]
                    [--within MINUTES] [--vm] [FILE...]

Prepares the machine (scripts/prepare) and runs
  types, lint and unit tests    --unit: only these
  end-to-end tests              --e2e: only these; on real, private containerds, as root:
                                all on the one that is installed here, and on each other line of
                                containerd the smoke tests
--containerd LINE   all end-to-end tests on one line of containerd and nothing else; LINE is
                    ${LINES.join(', ')}, all, or own for what is installed here. What is not here is
                    fetched as a Debian package into .cache/
--smoke             of the end-to-end tests only those where lines of containerd differ most
--within MINUTES    leave out what does not have to run and would take longer: all but the essential
                    tests on the own containerd, and the most telling ones on other lines; it is said what
--vm                in the end the smoke tests of scripts/vm, too: in a machine with systemd and
                    cgroup v2, which is built if it is not there; at most 12 minutes
FILE...             of the end-to-end tests only those in these files

In the end, what has failed is told once more. The last line tells how many passed and failed; the
exit code is 0 if at least one test ran and none failed.
`;

/** What ava prints around the results; the stage says the same in its own words. */
const FRAME = /^(?:TAP version \d+|1\.\.\d+|# (?:tests|pass|fail|skip) \d+|)$/;

/** How a stage went, and which of its tests have failed. */
type Result = Omit<Outcome, 'name'>;

/** A part of the whole with a result of its own. */
interface Stage {
  readonly name: string;
  readonly run: () => Promise<Result>;
  /** The run of end-to-end tests that it is. */
  readonly planned?: EndToEndRun;
}

const root = dirname(import.meta.dirname);
const packages = join(root, 'node_modules');

const quick: readonly Stage[] = [
  {
    name: 'types and lint',
    // Each of the two keeps one processor busy.
    run: async () => {
      const [types, lint] = await Promise.all([
        check([['typescript/bin/tsc', '--noEmit']]),
        check([
          ['eslint/bin/eslint.js', '.'],
          ['prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
        ]),
      ]);
      return withoutTests(add(types, lint));
    },
  },
  { name: 'unit tests', run: () => ava([]) },
];

const inMachine: Stage = {
  name: 'smoke tests in a virtual machine',
  run: async () => withoutTests(await smokeInMachine()),
};

async function main(): Promise<number> {
  // Hundreds of processes run the same sources; compiling takes half the time of a short one.
  process.env.NODE_COMPILE_CACHE ??= join(root, '.cache', 'compile');
  const { values, positionals: files } = parseArgs({
    allowPositionals: true,
    options: {
      unit: { type: 'boolean', default: false },
      e2e: { type: 'boolean', default: false },
      containerd: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      within: { type: 'string' },
      vm: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { containerd, smoke } = values;
  const withinSeconds = values.within === undefined ? Infinity : Number(values.within) * 60;
  if ((containerd !== undefined && !isWish(containerd)) || !(withinSeconds > 0)) {
    process.stderr.write(HELP);
    return 2;
  }
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const onlyEndToEnd = values.e2e || containerd !== undefined || smoke || files.length > 0;
  const all = values.unit === onlyEndToEnd;
  const stages = [
    ...(all || values.unit ? quick : []),
    ...(all || onlyEndToEnd ? await endToEnd({ containerd, smoke, files }) : []),
    // The last one: what else is known is known by then, and nothing runs beside it.
    ...(values.vm ? [inMachine] : []),
  ];

  let total = nothing;
  let secondsPerFile = 0;
  const outcomes: Outcome[] = [];
  const leftOut: string[] = [];
  for (const { name, run, planned } of stages) {
    const secondsLeft = withinSeconds - performance.now() / 1000;
    if (planned !== undefined && !fits(planned, secondsPerFile, secondsLeft)) {
      leftOut.push(`left out, ${Math.max(0, secondsLeft).toFixed(0)} s before the end: ${name}`);
      continue;
    }
    console.log(`==> ${name}`);
    const started = performance.now();
    const { tally, failures } = await run();
    const seconds = (performance.now() - started) / 1000;
    console.log(`${name}: ${inWords(tally)} (${seconds.toFixed(1)} s)\n`);
    const files = planned?.files.length ?? 0;
    if (files > 0) secondsPerFile = Math.max(secondsPerFile, seconds / files);
    total = add(total, tally);
    outcomes.push({ name, tally, failures });
  }
  for (const line of leftOut) console.log(line);
  for (const line of retell(outcomes)) console.log(line);
  console.log(inWords(total));
  return total.passed > 0 && total.failed === 0 ? 0 : 1;
}

function isWish(name: string): name is Which | 'all' {
  return name === 'own' || name === 'all' || isLine(name);
}

async function endToEnd(wishes: Wishes): Promise<readonly Stage[]> {
  const { version } = await ownContainerd();
  const all = (await readdir(join(root, 'e2e')))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `e2e/${name}`);
  return endToEndRuns(wishes, { lines: LINES, own: version, all }).map((run) => ({
    planned: run,
    name: `end-to-end tests${run.files.length > 0 ? ` (${run.files.length} files)` : ''}, containerd ${
      run.containerd === 'own' ? version : run.containerd
    }`,
    run: () => onContainerd(run),
  }));
}

async function onContainerd({ containerd, files }: EndToEndRun): Promise<Result> {
  try {
    const { binDir } = containerd === 'own' ? {} : await containerdOf(containerd);
    return await ava(['--config', 'e2e/ava.config.js', ...files], {
      ...(binDir === undefined ? {} : { CONTAINERD_BIN_DIR: binDir }),
    });
  } catch (error) {
    // A line that cannot be had was not tested: that is a failure, and no reason to stop here.
    tellError(error);
    return withoutTests({ ...nothing, failed: 1 });
  }
}

/** Programs of npm packages that all have to succeed; together they count as one. */
async function check(commands: readonly (readonly [string, ...string[]])[]): Promise<Tally> {
  const results: boolean[] = [];
  for (const [program, ...args] of commands) {
    const run = await execa(process.execPath, [join(packages, program), ...args], {
      cwd: root,
      stdin: 'ignore',
      stdout: 'inherit',
      stderr: 'inherit',
      reject: false,
    });
    results.push(!run.failed);
  }
  return results.every(Boolean) ? { ...nothing, passed: 1 } : { ...nothing, failed: 1 };
}

async function ava(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const run = execa(
    process.execPath,
    [join(packages, 'ava/entrypoints/cli.js'), '--tap', ...args],
    {
      cwd: root,
      env,
      stdin: 'ignore',
      stderr: 'inherit',
      reject: false,
    },
  );
  let tally = nothing;
  let failures = noFailures;
  for await (const line of run) {
    tally = count(tally, line);
    failures = note(failures, line);
    if (!FRAME.test(line)) console.log(line);
  }
  // A crash, a time-out or "no tests found" is a failure that no test's line may tell of.
  const { failed } = await run;
  return {
    tally: failed && tally.failed === 0 ? { ...tally, failed: 1 } : tally,
    failures: failures.all,
  };
}

/** The result of what is told otherwise than test by test. */
function withoutTests(tally: Tally): Result {
  return { tally, failures: [] };
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!isUsageError(error)) throw error;
  tellError(error);
  process.exitCode = 2;
}
