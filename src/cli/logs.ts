/**
 * `reprise logs NAME`: what containers wrote.
 */
import { Command } from 'commander';
import { messageOf } from '../errors.ts';
import { AgentUnreachable, connectAgent } from '../api/client.ts';
import type { Client, LogQuery } from '../api/client.ts';
import { containerNames } from '../api/pod-containers.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { defaultContainer } from './default-container.ts';
import { durationOption, wholeNumberOption } from './duration.ts';
import { defaultNamespace } from './options.ts';
import type { GlobalOptions } from './options.ts';
import { noteLine, printRaw } from './output.ts';
import { podAndContainer } from './pod-names.ts';
import { throwAll, tryAtOnce, tryInTurn } from './several.ts';
import { UsageError } from './usage-error.ts';

interface LogsOptions extends GlobalOptions {
  readonly container?: string;
  readonly allContainers?: boolean;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly tail?: number;
  readonly since?: number;
  readonly timestamps?: boolean;
  readonly prefix?: boolean;
}

/** The command as it is typed. */
export function logsCommand(): Command {
  return new Command('logs')
    .summary('show what a container wrote')
    .description('Shows the log of one container of a pod, or of all of them.')
    .argument('<pod...>', 'NAME or pod/NAME; behind it the name of a container, as with -c')
    .option('-c, --container <name>', 'which container (default: the first app container)')
    .option('--all-containers', 'all of them, init containers first')
    .option('-f, --follow', 'go on until the container ends')
    .option('-p, --previous', 'of the run before this one')
    .option('--tail <lines>', 'only that many lines from the end', wholeNumberOption(-1))
    .option('--since <duration>', 'only what is newer, e.g. 5m', durationOption({ minMs: 1000 }))
    .option('--timestamps', 'with the time in front of every line')
    .option('--prefix', 'with pod and container in front of every line')
    .addHelpText(
      'after',
      `
Examples:
  reprise logs trainer                         of its first app container
  reprise logs trainer -c watcher -f           of another one, as it is written
  reprise logs trainer -p --tail 20            the last words before the last restart
  reprise logs trainer --all-containers --prefix`,
    )
    .action(async (args: string[], _: unknown, command: Command) => {
      await logs(args, command.optsWithGlobals());
    });
}

async function logs(args: readonly string[], options: LogsOptions): Promise<void> {
  const { pod: name, container: behind } = podAndContainer(args, 'reprise logs NAME');
  const named = options.container ?? behind;
  if (options.container !== undefined && behind !== undefined) {
    throw new UsageError('a container behind the pod does not go with -c');
  }
  if (options.allContainers && named !== undefined) {
    throw new UsageError('--all-containers does not go with the name of one');
  }
  const client = connectAgent(options.socket);
  const namespace = options.namespace ?? defaultNamespace;
  const { signal } = new AbortController();
  const pod = await client.getPod(namespace, name, signal);
  const show = (container: string): Promise<void> =>
    showLog(client, pod, container, options, signal);

  if (!options.allContainers) {
    await show(named ?? defaultContainer(pod));
    return;
  }
  const all = containerNames(pod);
  const { results, failures } = options.follow
    ? await tryAtOnce(all, show)
    : await tryInTurn(all, show);
  const isCutOff = failures.some((failure) => failure instanceof AgentUnreachable);
  if (isCutOff || results.length === 0) throwAll(failures);
  // One container without a log yet does not hide those of the others.
  for (const failure of failures) noteLine(`note: ${messageOf(failure)}`);
}

async function showLog(
  client: Client,
  { metadata: { namespace, name } }: V1Pod,
  container: string,
  options: LogsOptions,
  signal: AbortSignal,
): Promise<void> {
  const query: LogQuery = {
    container,
    follow: options.follow,
    previous: options.previous,
    tailLines: options.tail === -1 ? undefined : options.tail,
    sinceSeconds: options.since === undefined ? undefined : Math.ceil(options.since / 1000),
    timestamps: options.timestamps,
  };
  const pieces = await client.readLog(namespace, name, query, signal);
  if (!options.prefix) {
    for await (const piece of pieces) await printRaw(piece);
    return;
  }
  for await (const line of linesOf(pieces)) {
    await printRaw(Buffer.concat([Buffer.from(`[pod/${name}/${container}] `), line]));
  }
}

async function* linesOf(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const piece of pieces) {
    let bytes = Buffer.concat([rest, piece]);
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a)) {
      yield bytes.subarray(0, end + 1);
      bytes = bytes.subarray(end + 1);
    }
    rest = bytes;
  }
  if (rest.length > 0) yield Buffer.concat([rest, Buffer.from('\n')]);
}
