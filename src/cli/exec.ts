/**
 * `reprise exec NAME -- COMMAND`: runs a command in a container, with or without a terminal.
 */
import { on } from 'node:events';
import { Command } from 'commander';
import type { TerminalSize } from '../api/backend.ts';
import { connectAgent } from '../api/client.ts';
import { execCommand } from '../api/exec-client.ts';
import type { ExecStreams } from '../api/exec-client.ts';
import { splitAtDashes } from './at-dashes.ts';
import type { Typed } from './at-dashes.ts';
import { defaultContainer } from './default-container.ts';
import { defaultNamespace } from './options.ts';
import type { GlobalOptions } from './options.ts';
import { noteLine, writeRaw } from './output.ts';
import { onePodName } from './pod-names.ts';
import { UsageError } from './usage-error.ts';

interface ExecOptions extends GlobalOptions {
  readonly container?: string;
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly quiet?: boolean;
}

const usage = 'reprise exec NAME -- COMMAND';

/** The command as it is typed. */
export function execCommandLine(): Command {
  return new Command('exec')
    .summary('run a command in a container')
    .description(
      'Runs a command in a running container, and ends with its exit code. It is killed when this ' +
        'command is ended, and by a restart of its container or of the pod in place.',
    )
    .argument('<pod...>', 'NAME or pod/NAME; then, after --, a command with its arguments')
    .option('-c, --container <name>', 'which container (default: the first app container)')
    .option('-i, --stdin', 'give it what comes in here')
    .option('-t, --tty', 'give it a terminal; with -i')
    .option('-q, --quiet', 'say nothing but what the command says')
    .addHelpText(
      'after',
      `
Examples:
  reprise exec trainer -- nvidia-smi           in its first app container
  reprise exec -it trainer -c watcher -- sh    a shell in another one
  reprise exec trainer -- cat /data/state > state
  tar -c . | reprise exec -i trainer -- tar -x -C /data`,
    )
    .action(async (args: string[], _: unknown, command: Command) => {
      await exec(splitAtDashes(args, process.argv), command.optsWithGlobals());
    });
}

async function exec({ pod: args, command }: Typed, options: ExecOptions): Promise<void> {
  if (command.length === 0) {
    throw new UsageError('there is no command to run', { next: `write it after --: ${usage}` });
  }
  const name = onePodName(args, usage);
  const { socket, namespace = defaultNamespace } = options;
  const { signal } = new AbortController();
  const pod = await connectAgent(socket).getPod(namespace, name, signal);
  const container = options.container ?? defaultContainer(pod);
  const tty = isTerminalWanted(options);
  using here = connectedHere(options.stdin === true, tty);
  const call = { socket, namespace, name, container, command, tty };
  const code = await execCommand(call, here.streams);
  if (code !== 0 && options.quiet !== true) noteLine(`command terminated with exit code ${code}`);
  process.exitCode = code;
}

/** As kubectl has it: a terminal without anybody at it is none. */
function isTerminalWanted({ stdin, tty }: ExecOptions): boolean {
  if (tty !== true || stdin !== true) return false;
  if (process.stdin.isTTY) return true;
  noteLine('Unable to use a TTY - input is not a terminal or the right kind of file');
  return false;
}

/** Our own streams; a terminal is as it was before when this is disposed of. */
function connectedHere(stdin: boolean, tty: boolean): Disposable & { streams: ExecStreams } {
  const { stdin: input, stdout, stderr } = process;
  const over = new AbortController();
  if (tty) input.setRawMode(true);
  return {
    streams: {
      ...(stdin && { input }),
      output: (bytes) => writeRaw(stdout, bytes),
      errors: (bytes) => writeRaw(stderr, bytes),
      ...(tty && { sizes: terminalSizes(over.signal) }),
    },
    [Symbol.dispose]: () => {
      over.abort();
      if (tty) input.setRawMode(false);
      // Or we would wait for somebody to press a key.
      if (stdin) input.destroy();
    },
  };
}

/** That of the terminal now, and each time somebody changes it. */
async function* terminalSizes(signal: AbortSignal): AsyncIterable<TerminalSize> {
  const { stdout } = process;
  const size = (): TerminalSize => ({ width: stdout.columns, height: stdout.rows });
  if (!stdout.isTTY) return;
  yield size();
  try {
    const changes = on(stdout, 'resize', { signal });
    while ((await changes.next()).done !== true) yield size();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
