/**
 * `reprise agent`: the daemon. Hosts many pods and serves the socket.
 */
import { Command } from 'commander';
import { withNodeOptions } from './options.ts';
import type { GlobalOptions, NodeOptions } from './options.ts';
import { catchInterrupts } from './interrupt.ts';

/** The command as it is typed. */
export function agentCommand(): Command {
  const command = new Command('agent')
    .summary('host many pods and serve the API')
    .description(
      'Hosts pods, one worker each, and serves the Kubernetes pod API on a unix socket that only ' +
        'root can open. Logs JSON lines to standard error. When it is stopped its pods run on; ' +
        'started again, it takes them up where they are.',
    );
  return withNodeOptions(command)
    .addHelpText(
      'after',
      `
Environment:
  REPRISE_LOG_LEVEL    trace, debug, info (default), warn, error or silent

Examples:
  sudo reprise agent
  sudo reprise agent --data-dir /tmp/lab --socket /tmp/lab/api.sock   another one`,
    )
    .action((_: unknown, command: Command) => agent(command.optsWithGlobals()));
}

async function agent(options: GlobalOptions & NodeOptions): Promise<void> {
  const { agentLogger, hostAgent } = await import('./host-agent.ts');
  const log = agentLogger('info');
  const stop = new AbortController();
  using interrupts = catchInterrupts();
  const interrupted = Promise.withResolvers<string>();
  interrupts.onEach((signal, count) => {
    // The pods are remembered on disk: leaving at once is rude but safe.
    if (count > 1) process.exit(1);
    stop.abort();
    interrupted.resolve(signal);
  });
  try {
    await using stack = new AsyncDisposableStack();
    const { failed } = stack.use(await hostAgent({ ...options, log }, stop.signal));
    log.info({ socket: options.socket }, 'the agent is ready');
    const signal = await Promise.race([interrupted.promise, failed]);
    log.info({ signal }, 'the agent stops; its pods run on');
  } catch (error) {
    // Stopped while it started: nothing has gone wrong.
    if (!stop.signal.aborted) throw error;
  }
}
