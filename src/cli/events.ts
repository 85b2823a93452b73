/**
 * `reprise events [NAME]`: what happened to pods, oldest first.
 */
import { Command } from 'commander';
import type { V1Event } from '../api/backend.ts';
import { connectAgent } from '../api/client.ts';
import { eventColumns } from '../api/table.ts';
import { listOf } from './get-output.ts';
import { withNamespace } from './namespace-column.ts';
import { defaultNamespace } from './options.ts';
import type { GlobalOptions } from './options.ts';
import { noteLine, printLine } from './output.ts';
import { onePodName } from './pod-names.ts';
import { TextTable } from './text-table.ts';
import { UsageError } from './usage-error.ts';
import { toYaml } from './yaml.ts';

interface EventsOptions extends GlobalOptions {
  readonly watch?: boolean;
  readonly output?: string;
  readonly allNamespaces?: boolean;
}

/** The command as it is typed. */
export function eventsCommand(): Command {
  return new Command('events')
    .summary('show what happened to pods')
    .description('Shows the events of one pod, or of all pods of a namespace, oldest first.')
    .argument('[pod...]', 'NAME or pod/NAME')
    .option('-w, --watch', 'go on with every new event')
    .option('-A, --all-namespaces', 'of pods of every namespace')
    .option('-o, --output <format>', 'wide, json or yaml')
    .addHelpText(
      'after',
      `
Examples:
  reprise events                  of all pods of the namespace
  reprise events -A               and of which namespace each is
  reprise events trainer -w       of one pod, as they come`,
    )
    .action(async (args: string[], _: unknown, command: Command) => {
      await events(args, command.optsWithGlobals());
    });
}

async function events(args: readonly string[], options: EventsOptions): Promise<void> {
  const { output, watch } = options;
  if (output !== undefined && !['wide', 'json', 'yaml'].includes(output)) {
    throw new UsageError(`unknown output format "${output}"`, { next: 'use wide, json or yaml' });
  }
  const client = connectAgent(options.socket);
  const name = args.length === 0 ? undefined : onePodName(args, 'reprise events NAME');
  const namespace = options.allNamespaces ? undefined : (options.namespace ?? defaultNamespace);
  const { signal } = new AbortController();
  const columns = withNamespace(eventColumns, options.allNamespaces);
  const table = new TextTable(columns, { wide: output === 'wide' });

  if (watch) {
    let header = true;
    for await (const { type, object } of await client.watchEvents({ namespace, name }, signal)) {
      if (type === 'DELETED') continue;
      if (output === 'json') printLine(JSON.stringify(object));
      else if (output === 'yaml') printLine(`---\n${(await toYaml(object)).trimEnd()}`);
      else for (const line of table.lines([object], Date.now(), { header })) printLine(line);
      header = false;
    }
    return;
  }
  const found = inOrder(await client.listEvents({ namespace, name }, signal));
  if (output === 'json') printLine(JSON.stringify(listOf(found), undefined, 4));
  else if (output === 'yaml') printLine((await toYaml(listOf(found))).trimEnd());
  else if (found.length === 0) noteLine('No events found');
  else for (const line of table.lines(found, Date.now(), { header: true })) printLine(line);
}

/** By the time it last happened; what happened at the same time stays as it came. */
export function inOrder(events: readonly V1Event[]): readonly V1Event[] {
  return events.toSorted((a, b) => Date.parse(a.lastTimestamp) - Date.parse(b.lastTimestamp));
}
