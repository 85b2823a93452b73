/**
 * `reprise version`: ours, and that of the agent if one is running.
 */
import { Command, Option } from 'commander';
import { AgentUnreachable, connectAgent } from '../api/client.ts';
import type { GlobalOptions } from './options.ts';
import { printLine } from './output.ts';
import { ownVersion } from './own-version.ts';

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
      const agent = await agentVersion(options.socket);
      if (options.output === 'json') {
        printLine(JSON.stringify({ client, agent }, undefined, 4));
      } else {
        printLine(`reprise ${client.version} on Node.js ${client.node}`);
        printLine(`agent: ${agent?.gitVersion ?? `none at ${options.socket}`}`);
      }
    });
}

async function agentVersion(socket: string): Promise<{ gitVersion: string } | undefined> {
  try {
    return await connectAgent(socket).version(AbortSignal.timeout(2000));
  } catch (error) {
    if (error instanceof AgentUnreachable && error.kind !== 'broken') return undefined;
    throw error;
  }
}
