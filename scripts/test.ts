/**
 * Runs types, lint, unit tests and end-to-end tests, each to its end, and adds up how they went.
 *
 * The last line is `N passed, N failed`: every test, and types and lint as one each. A stage that
 * fails does not keep the others from telling what they know. Read next: tap.ts.
 */
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { add, count, inWords, nothing, type Tally } from './tap.ts';
import { isUsageError, tellError } from './tell-error.ts';

const HELP = `Usage: scripts/test [--unit] [--e2e]

Prepares the machine (scripts/prepare) and runs
  types, lint and unit tests    --unit: only these
  end-to-end tests              --e2e: only these; on a real, private containerd, as root
The last line tells how many passed and failed; the exit code is 0 if at least one test ran and
none failed.
`;

/** What ava prints around the results; the stage says the same in its own words. */
const FRAME = /^(?:TAP version \d+|1\.\.\d+|# (?:tests|pass|fail|skip) \d+|)$/;

/** A part of the whole with a result of its own. */
interface Stage {
  readonly name: string;
  readonly run: () => Promise<Tally>;
}

const root = dirname(import.meta.dirname);
const packages = join(root, 'node_modules');

const quick: readonly Stage[] = [
  { name: 'types', run: () => check([['typescript/bin/tsc', '--noEmit']]) },
  {
    name: 'lint',
    run: () =>
      check([
        ['eslint/bin/eslint.js', '.'],
        ['prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
      ]),
  },
  { name: 'unit tests', run: () => ava() },
];
const endToEnd: readonly Stage[] = [
  { name: 'end-to-end tests', run: () => ava('--config', 'e2e/ava.config.js') },
];

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      unit: { type: 'boolean', default: false },
      e2e: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const all = values.unit === values.e2e;
  const stages = [...(all || values.unit ? quick : []), ...(all || values.e2e ? endToEnd : [])];

  let total = nothing;
  for (const { name, run } of stages) {
    console.log(`==> ${name}`);
    const started = performance.now();
    const tally = await run();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${name}: ${inWords(tally)} (${seconds} s)\n`);
    total = add(total, tally);
  }
  console.log(inWords(total));
  return total.passed > 0 && total.failed === 0 ? 0 : 1;
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

async function ava(...args: string[]): Promise<Tally> {
  const run = execa(
    process.execPath,
    [join(packages, 'ava/entrypoints/cli.js'), '--tap', ...args],
    {
      cwd: root,
      stdin: 'ignore',
      stderr: 'inherit',
      reject: false,
    },
  );
  let tally = nothing;
  for await (const line of run) {
    tally = count(tally, line);
    if (!FRAME.test(line)) console.log(line);
  }
  // A crash, a time-out or "no tests found" is a failure that no test's line may tell of.
  const { failed } = await run;
  return failed && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!isUsageError(error)) throw error;
  tellError(error);
  process.exitCode = 2;
}
