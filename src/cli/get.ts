/**
 * `reprise get pods [NAME...]`: what there is, as a table, as objects or as names; once or as it
 * changes.
 */
import { Command } from 'commander';
import type { WatchEvent } from '../api/backend.ts';
import { connectAgent } from '../api/client.ts';
import type { Client, PodQuery } from '../api/client.ts';
import { podColumns } from '../api/table.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { assertFormat, formatted, isForPeople } from './get-output.ts';
import type { Look } from './get-output.ts';
import { withNamespace } from './namespace-column.ts';
import { defaultNamespace } from './options.ts';
import type { GlobalOptions } from './options.ts';
import { noteLine, printLine } from './output.ts';
import { objectNames } from './object-names.ts';
import { podNames } from './pod-names.ts';
import { throwAll, tryAtOnce } from './several.ts';
import { TextTable } from './text-table.ts';
import { UsageError } from './usage-error.ts';
import { toYaml } from './yaml.ts';

export interface GetOptions extends GlobalOptions {
  readonly output?: string;
  readonly watch?: boolean;
  readonly outputWatchEvents?: boolean;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly headers: boolean;
}

/** The command as it is typed. */
export function getCommand(): Command {
  return new Command('get')
    .summary('show pods, what they use, and devices')
    .description('Shows one, several or all of a namespace.')
    .argument('<kind>', 'pods, configmaps, secrets, persistentvolumeclaims or devices; or pod/NAME')
    .argument('[names...]', 'names; without one: all of the namespace')
    .option('-o, --output <format>', 'wide, json, yaml, name or jsonpath={...}')
    .option('-w, --watch', 'go on with every change, however short')
    .option('--output-watch-events', 'with -w -o json or yaml: say what happened, too')
    .option('-A, --all-namespaces', 'of every namespace')
    .option('-l, --selector <labels>', 'only what has these labels, e.g. app=web,tier!=db')
    .option('--no-headers', 'a table without its first line')
    .addHelpText(
      'after',
      `
Examples:
  reprise get pods                          all pods of the namespace
  reprise get configmaps                    settings that pods use, and how many keys each has
  reprise get devices                       GPUs and other devices, and who has them
  reprise get pods -A -o wide               of all namespaces, with address and generation
  reprise get pods -l 'app in (web, db)'    with one of these values of a label
  reprise get pod web -o yaml               the whole v1 Pod with its status
  reprise get pods -o jsonpath='{.status.podIP}'            of each, a line each
  reprise get pods -o jsonpath='{.items[*].status.podIP}'   of all, on one line
  reprise get pod web -w -o json            one JSON object per line for every change`,
    )
    .action(async (kind: string, names: string[], _: unknown, command: Command) => {
      await get([kind, ...names], command.optsWithGlobals());
    });
}

async function get(args: readonly string[], options: GetOptions): Promise<void> {
  assertFormat(options.output);
  if (args[0] === 'device' || args[0] === 'devices') {
    const { getDevices } = await import('./get-devices.ts');
    await getDevices(args.slice(1), options);
    return;
  }
  const objects = objectNames(args);
  if (objects !== undefined) {
    const { getObjects } = await import('./get-objects.ts');
    await getObjects(objects, options);
    return;
  }
  const names = podNames(args);
  if (names.length > 0) assertFitForNames(options);
  const show = printerOf(options);
  const client = connectAgent(options.socket);
  const namespace = options.allNamespaces ? undefined : (options.namespace ?? defaultNamespace);
  const query: PodQuery = { namespace, labelSelector: options.selector };
  const { signal } = new AbortController();

  if (options.watch) {
    if (names.length > 1) throw new UsageError('-w takes one name or none');
    await watch(client, { ...query, name: names[0] }, show, signal);
    return;
  }
  if (names.length > 0) {
    const { results: pods, failures } = await tryAtOnce(names, (name) =>
      client.getPod(namespace ?? defaultNamespace, name, signal),
    );
    if (pods.length > 0) await show.all(pods, names.length === 1);
    throwAll(failures);
    return;
  }
  const pods = await client.listPods(query, signal);
  if (pods.length > 0 || !isForPeople(options.output)) await show.all(pods, false);
  else
    noteLine(`No resources found${namespace === undefined ? '' : ` in ${namespace} namespace.`}`);
}

/** What is named is one thing in one namespace: nothing is left to select from. */
export function assertFitForNames({ selector, allNamespaces }: GetOptions): void {
  if (selector !== undefined) throw new UsageError('a selector does not go with names');
  if (allNamespaces) {
    throw new UsageError('nothing can be named across all namespaces', { next: 'use -n' });
  }
}

async function watch(
  client: Client,
  query: PodQuery,
  show: Printer,
  signal: AbortSignal,
): Promise<void> {
  // A pod that is not there is a mistake, as it is without -w.
  if (query.name !== undefined) {
    await client.getPod(query.namespace ?? defaultNamespace, query.name, signal);
  }
  for await (const event of await client.watchPods(query, signal)) await show.change(event);
}

interface Printer {
  readonly all: (pods: readonly V1Pod[], isOne: boolean) => Promise<void>;
  readonly change: (event: WatchEvent<V1Pod>) => Promise<void>;
}

function printerOf({ output, headers, allNamespaces, outputWatchEvents }: GetOptions): Printer {
  const columns = withNamespace(podColumns, allNamespaces);
  const table = new TextTable(columns, { wide: output === 'wide' });
  let header = headers;
  const look: Look<V1Pod> = {
    name: ({ metadata }) => `pod/${metadata.name}`,
    table(pods) {
      const lines = table.lines(pods, Date.now(), { header });
      header = false;
      return lines;
    },
  };
  const print = async (pods: readonly V1Pod[], isOne: boolean): Promise<void> => {
    for (const line of await formatted(pods, { output, isOne }, look)) printLine(line);
  };
  return {
    all: print,
    async change(event) {
      const shown = outputWatchEvents ? event : event.object;
      if (output === 'json') printLine(JSON.stringify(shown));
      else if (output === 'yaml') printLine(`---\n${(await toYaml(shown)).trimEnd()}`);
      else await print([event.object], true);
    },
  };
}
