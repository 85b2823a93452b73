/**
 * `reprise bench`: how long an in-place restart takes on this machine, next to what else one could do.
 *
 * Read next: bench-progress.ts, what is shown meanwhile; ../bench/bench.ts, what is done.
 */
import { Command, Option } from 'commander';
import type { BenchResult } from '../bench/bench.ts';
import { RepriseError } from '../errors.ts';
import { progressOn } from './bench-progress.ts';
import { report, requireWritable } from './bench-report.ts';
import type { ReportOptions } from './bench-report.ts';
import { wholeNumberOption } from './duration.ts';
import { catchInterrupts, interruptExitCode } from './interrupt.ts';
import { noteLine } from './output.ts';
import { ownVersion } from './own-version.ts';
import { throwAll } from './several.ts';

interface BenchCommandOptions extends ReportOptions {
  readonly iterations: number;
  readonly warmUp: number;
  readonly pods: number;
  readonly containers: number;
  readonly init: number;
  readonly image: string;
  readonly standbys: boolean;
  readonly deferredCleanup: boolean;
  readonly containerd: string;
  readonly cgroupRoot: string;
  readonly workDir: string;
}

/** The command as it is typed. */
export function benchCommand(): Command {
  return new Command('bench')
    .summary('measure in-place restarts on this machine')
    .description(
      'Measures in-place restarts, and in the same run on the same containerd what else one could ' +
        'do: the same by hand with CRI calls (the naive floor), and re-creating the sandbox. Runs its ' +
        'own agent and pods, needs none of yours, and removes everything it made.',
    )
    .option('--iterations <n>', 'rounds that count', wholeNumberOption(1), 20)
    .option('--warm-up <n>', 'rounds before them that do not', wholeNumberOption(0), 2)
    .option('--pods <n>', 'pods that are restarted together', wholeNumberOption(1), 1)
    .option('--containers <n>', 'app containers of each pod', wholeNumberOption(1), 1)
    .option('--init <n>', 'init containers of each pod', wholeNumberOption(0), 1)
    .option('--image <name>', 'has sh, sleep and true', 'docker.io/library/busybox:stable')
    .option('--no-standbys', 'without containers that are created ahead')
    .option('--no-deferred-cleanup', 'with dead containers cleared away at once, beside the starts')
    .addOption(
      new Option('--containerd <path>', "containerd's unix socket")
        .env('CONTAINERD_ADDRESS')
        .default('/run/containerd/containerd.sock'),
    )
    .option('--cgroup-root <path>', 'parent of the cgroups of its pods', '/reprise-bench')
    .option('--work-dir <path>', 'where a temporary folder is made', '/var/tmp')
    .addOption(
      new Option('-o, --output <format>', 'what is printed')
        .choices(['text', 'json'])
        .default('text'),
    )
    .option('--json <file>', 'write everything, raw samples too, to a file')
    .option('--html <file>', 'write a page with charts to a file')
    .addHelpText(
      'after',
      `
Ctrl-C or a lost terminal ends it early, removes everything and reports the
whole rounds; a second Ctrl-C leaves all behind. With nohup it stays without
its terminal.
REPRISE_LOG_LEVEL=info shows what its agent does.

Examples:
  sudo reprise bench --html bench.html          the reference pod, 20 rounds
  sudo reprise bench --containers 8             with 8 app containers
  sudo reprise bench --pods 30 --iterations 5   30 pods together
  sudo reprise bench -o json | jq .summary`,
    )
    .action(async (_: unknown, command: Command) => {
      process.exitCode = await bench(command.optsWithGlobals());
    });
}

async function bench(options: BenchCommandOptions): Promise<number> {
  await requireWritable(options);
  using interrupts = catchInterrupts();
  const stop = new AbortController();
  let exitCode = 0;
  interrupts.onEach((signal, count) => {
    exitCode = interruptExitCode[signal];
    if (count > 1) process.exit(exitCode);
    noteLine('\nremoving everything; once more leaves it behind');
    stop.abort(new RepriseError(`interrupted by ${signal}`));
  });
  const measured = await measure(options, stop.signal).catch((error: unknown) => {
    // Whatever is thrown after the signal is its consequence.
    if (!stop.signal.aborted) throw error;
  });
  if (measured === undefined) return exitCode;
  const failures = await report(measured.result, options, process.stdout);
  // Only now: what was measured is no less true.
  throwAll(measured.hasLeftovers ? [...failures, leftBehind(options)] : failures);
  return exitCode;
}

function leftBehind({ containerd }: BenchCommandOptions): RepriseError {
  return new RepriseError('not everything that the benchmark made could be removed', {
    where: containerd,
    next: 'remove the pods of the namespace reprise-bench with crictl, and the folder named above',
  });
}

async function measure(
  options: BenchCommandOptions,
  signal: AbortSignal,
): Promise<{ result: BenchResult; hasLeftovers: boolean }> {
  const [{ runBench }, { agentLogger, requireRoot }] = await Promise.all([
    import('../bench/bench.ts'),
    import('./host-agent.ts'),
  ]);
  requireRoot();
  const { pods, containers, init, image, iterations, warmUp } = options;
  const { containerd, cgroupRoot, workDir, standbys, deferredCleanup } = options;
  using progress = progressOn(process.stderr);
  const result = await runBench(
    {
      scenario: { pods, containers, inits: init, image },
      iterations,
      warmUps: warmUp,
      containerd,
      cgroupRoot,
      workDir,
      standbys,
      deferredCleanup,
      version: ownVersion(),
      log: agentLogger('error'),
    },
    progress,
    signal,
  );
  return { result, hasLeftovers: progress.hasLeftovers() };
}
