/**
 * `reprise rehearse -f FILE`: does this pod survive being restarted in place?
 *
 * Like `run`, it is a client of the agent that listens on the socket, or else of one in this very
 * process that hosts the copy only.
 *
 * Read next: ../rehearse/rehearsal.ts, what is done.
 */
import { randomInt } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import { connectAgent } from '../api/client.ts';
import type { Client } from '../api/client.ts';
import { AlreadyExistsError, RepriseError, messageOf } from '../errors.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { CopyLeftBehind } from '../rehearse/copy.ts';
import { cautions, copyAnnotation, copyOf } from '../rehearse/copy-of.ts';
import type { CopyOfPod } from '../rehearse/copy-of.ts';
import { maxSeed } from '../rehearse/random.ts';
import type { Line } from '../rehearse/report-text.ts';
import { isAgentThere } from './agent-there.ts';
import { durationDefault, durationOption, wholeNumberOption } from './duration.ts';
import { catchInterrupts, interruptExitCode } from './interrupt.ts';
import { collect, readManifest } from './manifest-file.ts';
import type { Manifest } from './manifest-file.ts';
import { withNodeOptions } from './options.ts';
import type { GlobalOptions, NodeOptions } from './options.ts';
import { inStyle, noteLine, printLine, visible } from './output.ts';

interface RehearseOptions extends GlobalOptions, NodeOptions {
  readonly filename: readonly string[];
  readonly restarts: number;
  readonly seed?: number;
  readonly settle: number;
  readonly timeout: number;
  readonly output: 'text' | 'json';
  readonly keepGoing?: boolean;
}

/** Seeds that nobody chose are short enough to be typed again. */
const SEEDS = 1_000_000;
/** The agent answers at once; an answer that is cut off would leave a pod that nobody knows. */
const CREATED_WITHIN_MS = 60_000;

/** The command as it is typed. */
export function rehearseCommand(): Command {
  const command = new Command('rehearse')
    .summary('find out whether a pod survives in-place restarts')
    .description(
      'Runs a copy of a pod (NAME-rehearsal), restarts it in place at random moments, ' +
        'also in the middle of its init containers, and tells whether it came back each ' +
        'time: what failed, with which code and last words; how long each restart took; ' +
        'whether the init containers can run again after they have completed, and after ' +
        'they were killed, or fail at times, as in a first start. Then removes the copy.\n\n' +
        'Every container gets SIGKILL without a warning, and files in volumes stay as ' +
        'they are: what a pod does not survive here, it does not survive in production.',
    )
    .requiredOption(
      '-f, --filename <file>',
      'manifest of one Pod and objects it uses; - is standard input; may be repeated',
      collect,
    )
    .option('--restarts <n>', 'how many', wholeNumberOption(1), 10)
    .option('--seed <n>', 'the same moments as another time (default: a new one)', seedOption)
    .addOption(
      durationDefault(
        new Option('--settle <duration>', 'how long all has to be up to count as back'),
        1_000,
      ).argParser(durationOption({ minMs: 1 })),
    )
    .addOption(
      durationDefault(
        new Option('--timeout <duration>', 'how long each start may take until all is up'),
        120_000,
      ).argParser(durationOption({ minMs: 1 })),
    )
    .option('--keep-going', 'go on with a fresh copy when one has not come back')
    .addOption(
      new Option('-o, --output <format>', 'what is printed')
        .choices(['text', 'json'])
        .default('text'),
    );
  return withNodeOptions(command)
    .addHelpText(
      'after',
      `
About half of the restarts cut the one before short, to hit an init container
in its middle. The copy has its own volumes and address, and needs its own
devices; what it shares with the original is noted (hostPath, hostPort). Ctrl-C
or a lost terminal ends it early and removes the copy; a second Ctrl-C leaves
it behind. With nohup it stays without its terminal.

Exit codes:
  0 it came back each time   2 bad usage or manifest     130 ended by Ctrl-C
  1 it did not, an init      3 containerd unreachable    143 ended by SIGTERM
    container cannot run                                 129 terminal lost
    again, or an error

Examples:
  sudo reprise rehearse -f examples/ml-worker.yaml
  sudo reprise rehearse -f pod.yaml --restarts 50 --keep-going
  sudo reprise rehearse -f pod.yaml --seed 4711            the same moments again
  sudo reprise rehearse -f pod.yaml --settle 10s           an app that fails late
  sudo reprise rehearse -f pod.yaml -o json | jq .summary  in a pipeline`,
    )
    .action(async (_: unknown, command: Command) => {
      process.exitCode = await rehearse(command.optsWithGlobals(), command);
    });
}

async function rehearse(options: RehearseOptions, command: Command): Promise<number> {
  const manifest = await readManifest(options.filename, options.namespace);
  const copy = copyOf(manifest);
  for (const caution of cautions(manifest.pod)) noteLine(`note: ${caution}`);
  using interrupts = catchInterrupts();
  const stop = new AbortController();
  interrupts.onEach((signal, count) => {
    if (count > 1) process.exit(interruptExitCode[signal]);
    noteLine('removing the copy; once more leaves it behind');
    stop.abort(new RepriseError(`interrupted by ${signal}`));
  });
  try {
    await using stack = new AsyncDisposableStack();
    const isOwn = !(await isAgentThere(options.socket, command));
    if (isOwn) stack.use(await hostOne(options, copy, stop.signal));
    return await rehearseAt(connectAgent(options.socket), manifest, copy, options, {
      isOwn,
      signal: stop.signal,
    });
  } catch (error) {
    const interrupt = interrupts.first();
    const thrown = lastOf(error);
    // Whatever is thrown after the signal is its consequence; but a copy that is left must be told.
    if (interrupt === undefined || thrown instanceof CopyLeftBehind) throw thrown;
    return interruptExitCode[interrupt];
  }
}

async function hostOne(
  options: RehearseOptions,
  { namespace, name }: CopyOfPod,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const { agentLogger, hostAgent } = await import('./host-agent.ts');
  return hostAgent({ ...options, only: { namespace, name }, log: agentLogger('error') }, signal);
}

async function rehearseAt(
  client: Client,
  manifest: Manifest,
  copy: CopyOfPod,
  options: RehearseOptions,
  { isOwn, signal }: { isOwn: boolean; signal: AbortSignal },
): Promise<number> {
  const [{ rehearse }, text] = await Promise.all([
    import('../rehearse/rehearsal.ts'),
    import('../rehearse/report-text.ts'),
  ]);
  const { restarts, settle, timeout, keepGoing = false, seed = randomInt(SEEDS) } = options;
  const isJson = options.output === 'json';
  // Standard output is for the JSON then.
  const tell = (lines: readonly Line[]) => {
    for (const line of lines) (isJson ? noteLine : printLine)(shown(line));
  };
  const { namespace, name } = copy;
  const head = `rehearsing with ${namespace}/${name}: ${restarts} restarts, seed ${seed}`;
  tell([{ text: head, tone: 'plain' }]);
  const report = await rehearse(
    {
      client,
      manifest: manifest.pod,
      name,
      accept: (until) => accept(client, copy, isOwn, until),
    },
    { restarts, seed, settleMs: settle, timeoutMs: timeout, keepGoing },
    {
      onStart: (tookMs) => tell([text.startLine(tookMs)]),
      onRestart: (restart) => tell(text.restartLines(restart, restarts)),
      onStartFailure: (failure) => tell(text.startFailureLines(failure)),
    },
    signal,
  );
  tell(text.summaryLines(report));
  if (isJson) printLine(JSON.stringify(report, null, 2));
  return report.summary.survives ? 0 : 1;
}

/** Creates the copy; in an agent of our own, one that is there already was left by a crash. */
async function accept(
  client: Client,
  { namespace, name, text }: CopyOfPod,
  isOwn: boolean,
  signal: AbortSignal,
): Promise<V1Pod> {
  signal.throwIfAborted();
  const create = () => client.createPod(namespace, text, AbortSignal.timeout(CREATED_WITHIN_MS));
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) throw error;
    const there = await client.getPod(namespace, name, signal);
    const isCopy = there.metadata.annotations?.[copyAnnotation] !== undefined;
    if (!isOwn || !isCopy) {
      const what = isCopy ? 'a rehearsal is under way' : 'and it is not the copy of a rehearsal';
      throw new AlreadyExistsError(`pod ${namespace}/${name} is already there, ${what}`, {
        where: client.socket,
        next: isCopy
          ? `wait for its end; or, if it was killed: reprise delete pod ${name} -n ${namespace} --force`
          : 'give one of the two another name',
        cause: error,
      });
    }
    noteLine(`pod ${namespace}/${name} is left from an earlier rehearsal and is removed first`);
    await removeAndWait(client, { namespace, name }, signal);
    return create();
  }
}

async function removeAndWait(
  client: Client,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<void> {
  const done = new AbortController();
  const until = AbortSignal.any([signal, done.signal]);
  const watched = await client.watchPods({ namespace, name }, until);
  try {
    await client.deletePod(namespace, name, { force: true }, signal);
    for await (const { type } of watched) if (type === 'DELETED') return;
  } finally {
    done.abort();
  }
  signal.throwIfAborted();
}

function shown({ text, tone }: Line): string {
  const said = visible(text);
  if (tone === 'plain') return said;
  return inStyle(tone === 'good' ? 'green' : 'red', said);
}

/** What goes wrong while a copy is removed comes on top of what went wrong before: that is noted. */
function lastOf(error: unknown): unknown {
  if (!(error instanceof SuppressedError)) return error;
  noteLine(`error: ${messageOf(error.suppressed)}`);
  return lastOf(error.error);
}

function seedOption(text: string): number {
  const seed = wholeNumberOption(0)(text);
  if (seed <= maxSeed) return seed;
  throw new InvalidArgumentError(`It must be at most ${maxSeed}.`);
}
