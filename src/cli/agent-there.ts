/**
 * Whether an agent is there that does it, or the command has to host its own.
 */
import { Command } from 'commander';
import { isListening } from '../api/unix-socket.ts';
import { withNodeOptions } from './options.ts';
import { UsageError } from './usage-error.ts';

/** Whether an agent listens; then nothing may have been typed that only an agent of its own would heed. */
export async function isAgentThere(socket: string, command: Command): Promise<boolean> {
  if (!(await isListening(socket))) return false;
  const typed = typedNodeOptions(command);
  if (typed.length === 0) return true;
  const flags = typed.join(', ');
  throw new UsageError(`an agent listens already, and has its own ${flags}`, {
    where: socket,
    next: `leave ${flags} out, or give another --socket to run the pod without that agent`,
  });
}

/** The node options on the command line; those of the environment may be meant for other commands, too. */
export function typedNodeOptions(command: Command): readonly string[] {
  return withNodeOptions(new Command()).options.flatMap((option) =>
    command.getOptionValueSource(option.attributeName()) === 'cli' ? [option.long ?? ''] : [],
  );
}
