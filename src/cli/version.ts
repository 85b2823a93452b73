/**
 * `reprise version`: ours, and that of the agent if one is running.
 */
import { Command, Option } from 'commander';
import { AgentUnreachable, connectAgent } from '../api/client.ts';
import type { GlobalOptions } from './options.ts';
import { printLine } from './output.ts';
import { ownVersion } from './own-version.ts';
import { throwAll, tryAtOnce } from './several.ts';
import { withinTime } from './time-limit.ts';

/** The command as it is typed. */
export function versionCommand(): Command {
  return new Command('version')
    .summary('show versions')
    .description('Shows the version of this program, and of the agent if one is running.')
    .addOption(new Option('-o, --output <format>', 'json').choices(['json']))
    .addHelpText('after', '\nExample:\n  reprise version')
    .action(async (_: unknown, command: Command) => {
      const options: GlobalOptions & { output?: 'json' } = command.optsWithGlobals();
      const client = { version: ownVersion(), node: process.versions.node };
      const { results, failures } = await tryAtOnce([options.socket], agentVersion);
      const [agent] = results;
      if (options.output === 'json') {
        printLine(JSON.stringify({ client, agent }, undefined, 4));
      } else {
        printLine(`reprise ${client.version} on Node.js ${client.node}`);
        printLine(`agent: ${agent?.gitVersion ?? withoutVersion(options.socket, failures[0])}`);
      }
      throwAll(failures);
    });
}

function withoutVersion(socket: string, failure: unknown): string {
  if (failure === undefined) return `none at ${socket}`;
  const isDenied = failure instanceof AgentUnreachable && failure.kind === 'denied';
  return isDenied ? `permission denied at ${socket}` : 'does not answer';
}

async function agentVersion(socket: string): Promise<{ gitVersion: string } | undefined> {
  const late = {
    what: 'the agent does not answer',
    where: socket,
    next: 'look what it is busy with, or start it again: its pods run on',
  };
  try {
    return await withinTime(2000, late, (signal) => connectAgent(socket).version(signal));
  } catch (error) {
    if (error instanceof AgentUnreachable && error.kind === 'absent') return undefined;
    throw error;
  }
}
