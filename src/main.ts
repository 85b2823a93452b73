#!/usr/bin/env -S node --max-semi-space-size=8 --no-wasm-dynamic-tiering --no-wasm-tier-up
/**
 * The executable: picks the command, turns an error into lines and an exit code.
 *
 * Only the file of the command that was typed is loaded, so that `reprise get` answers at once.
 *
 * A day of restarts would make V8 let young garbage pile up to 130 MiB; with small semi-spaces the
 * agent stays half as large, for no time that can be measured. Why WebAssembly is compiled but once:
 * see scripts/node.
 *
 * Read next: cli/, one file per command, named as it is typed.
 */
import { Command, CommanderError } from 'commander';
import { withEqualsSigns, withOpposites } from './cli/equals-sign.ts';
import { withGlobalOptions } from './cli/options.ts';
import { ownVersion } from './cli/own-version.ts';
import { typedCommand } from './cli/typed-command.ts';

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

const commands: Readonly<Record<string, Entry>> = {
  run: {
    summary: 'run one pod in the foreground',
    load: async () => (await import('./cli/run.ts')).runCommand(),
  },
  agent: {
    summary: 'host many pods and serve the API',
    load: async () => (await import('./cli/agent.ts')).agentCommand(),
  },
  apply: {
    summary: 'run pods in the agent',
    load: async () => (await import('./cli/apply.ts')).applyCommand(),
  },
  create: {
    summary: 'like apply, for pods that are not there yet',
    load: async () => (await import('./cli/apply.ts')).createCommand(),
  },
  get: {
    summary: 'show pods, what they use, and devices',
    load: async () => (await import('./cli/get.ts')).getCommand(),
  },
  describe: {
    summary: 'tell everything about a pod',
    load: async () => (await import('./cli/describe.ts')).describeCommand(),
  },
  logs: {
    summary: 'show what a container wrote',
    load: async () => (await import('./cli/logs.ts')).logsCommand(),
  },
  exec: {
    summary: 'run a command in a container',
    load: async () => (await import('./cli/exec.ts')).execCommandLine(),
  },
  events: {
    summary: 'show what happened to pods',
    load: async () => (await import('./cli/events.ts')).eventsCommand(),
  },
  debug: {
    summary: 'look into a running pod with a container of your own',
    load: async () => (await import('./cli/debug.ts')).debugCommand(),
  },
  restart: {
    summary: 'restart all containers of a pod in place',
    load: async () => (await import('./cli/restart.ts')).restartCommand(),
  },
  timeline: {
    summary: 'show the steps of in-place restarts and what each took',
    load: async () => (await import('./cli/timeline.ts')).timelineCommand(),
  },
  wait: {
    summary: 'wait until something is true of a pod',
    load: async () => (await import('./cli/wait.ts')).waitCommand(),
  },
  delete: {
    summary: 'end pods and remove everything they had',
    load: async () => (await import('./cli/delete.ts')).deleteCommand(),
  },
  validate: {
    summary: 'say whether manifests can be run, and what is wrong',
    load: async () => (await import('./cli/validate.ts')).validateCommand(),
  },
  doctor: {
    summary: 'say what this machine has and what is wrong with it',
    load: async () => (await import('./cli/doctor.ts')).doctorCommand(),
  },
  bench: {
    summary: 'measure in-place restarts on this machine',
    load: async () => (await import('./cli/bench.ts')).benchCommand(),
  },
  rehearse: {
    summary: 'find out whether a pod survives in-place restarts',
    load: async () => (await import('./cli/rehearse.ts')).rehearseCommand(),
  },
  version: {
    summary: 'show versions',
    load: async () => (await import('./cli/version.ts')).versionCommand(),
  },
};

/**
 * These work with files of pods, some of which may be on a server that does not answer: each call that
 * waits for one has a thread to itself, and four, Node's own number, would soon be all taken.
 */
const workWithFiles: ReadonlySet<string> = new Set(['run', 'agent']);
const FILE_THREADS = '64';

/** These see to their pods even when nobody reads what they say, or it cannot be written. */
const outliveTheirReader: ReadonlySet<string> = new Set([
  'run',
  'agent',
  'delete',
  'restart',
  'rehearse',
  'bench',
]);

async function main(args: readonly string[]): Promise<void> {
  const program = withEqualsSigns(emptyProgram());
  const typed = typedCommand(args, program.options);
  // Read with the first call that needs a thread: none has been made yet. What the user says counts.
  if (workWithFiles.has(typed ?? '')) process.env['UV_THREADPOOL_SIZE'] ??= FILE_THREADS;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (outliveTheirReader.has(typed ?? '')) return;
      // `reprise get -w | head`: the reader has seen enough.
      if (error.code === 'EPIPE') process.exit(0);
      if (stream === process.stdout) {
        process.stderr.write(`error: the output cannot be written: ${error.message}\n`);
      }
      process.exit(1);
    });
  }
  try {
    await addCommands(program, typed);
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      // commander has said it all; its codes are 0 for help and 1 for every mistake.
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    const { errorLines, exitCodeOf } = await import('./cli/exit-code.ts');
    const isDebugging = process.env['REPRISE_DEBUG'] === '1';
    process.stderr.write(`${errorLines(error, isDebugging).join('\n')}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

/** The program without its commands. */
function emptyProgram(): Command {
  return withGlobalOptions(new Command('reprise'))
    .description('Runs Kubernetes pods on this machine and restarts them in place.')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('  try: add --help to see what can be typed')
    .exitOverride()
    .helpCommand(false)
    .version(ownVersion(), '-V, --version', 'show the version')
    .addHelpText('after', guide);
}

/** Of all but the one that was typed nothing but the name is there, for the help. */
async function addCommands(program: Command, typed: string | undefined): Promise<void> {
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const command =
      name === typed
        ? withEqualsSigns(withOpposites(await load()))
        : new Command(name).summary(summary);
    program.addCommand(command.copyInheritedSettings(program));
  }
}

const guide = `
Examples:
  sudo reprise run -f pod.yaml           run a pod here and now, and see what happens
  sudo reprise agent                     host many pods; then, from another terminal:
  sudo reprise apply -f pod.yaml
  sudo reprise get pods
  sudo reprise restart pod NAME

Options are written as for kubectl: -o json or -o=json; --follow, --follow=true or --follow=false.
Every command has its own help with examples: reprise COMMAND --help`;

await main(process.argv.slice(2));
