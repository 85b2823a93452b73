/**
 * `reprise delete pod NAME...`: ends pods and takes back everything they had.
 */
import { Command } from 'commander';
import { NotFoundError, RepriseError } from '../errors.ts';
import { connectAgent } from '../api/client.ts';
import type { Client } from '../api/client.ts';
import type { DeleteOptions } from '../api/backend.ts';
import type { ObjectKind } from '../pod/objects.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { maxGraceSeconds } from '../pod/stop.ts';
import { durationOption, wholeNumberOption } from './duration.ts';
import { defaultNamespace } from './options.ts';
import type { GlobalOptions } from './options.ts';
import { printLine } from './output.ts';
import { collect, readParts } from './manifest-file.ts';
import { objectNames } from './object-names.ts';
import { podNames, podsInWords } from './pod-names.ts';
import { throwAll, tryAtOnce, tryInTurn } from './several.ts';
import { withinTime } from './time-limit.ts';
import { UsageError } from './usage-error.ts';

interface DeleteCommandOptions extends GlobalOptions {
  readonly filename?: readonly string[];
  readonly gracePeriod?: number;
  readonly force?: boolean;
  readonly now?: boolean;
  readonly wait: boolean;
  readonly timeout?: number;
  readonly ignoreNotFound?: boolean;
  readonly output?: string;
}

/** The command as it is typed. */
export function deleteCommand(): Command {
  return new Command('delete')
    .summary('end pods and remove everything they had')
    .description(
      'Asks containers to stop, kills them when the grace period is over, then removes the pod ' +
        'with its sandbox, volumes and logs. Waits until it is gone. Objects go at once; the folder ' +
        'of a PersistentVolumeClaim stays.',
    )
    .argument('[kind]', 'pod, configmap, secret or persistentvolumeclaim; or pod/NAME')
    .argument('[names...]', 'names')
    .option(
      '-f, --filename <file>',
      'what is in this manifest or folder; - is standard input; may be repeated',
      collect,
    )
    .option(
      '--grace-period <seconds>',
      "instead of the pod's own",
      wholeNumberOption(0, maxGraceSeconds),
    )
    .option('--force', 'SIGKILL at once')
    .option('--now', 'a grace period of one second')
    .option('--ignore-not-found', 'a pod that is not there is no failure')
    .option('--timeout <duration>', 'give up waiting after this time; 0: never', durationOption())
    .option('--wait', 'wait until the pod is gone', true)
    .option('--no-wait', 'the same as --wait=false')
    .option('-o, --output <format>', 'name')
    .addHelpText(
      'after',
      `
Examples:
  reprise delete pod web                  within the pod's grace period
  reprise delete pod web --force          at once
  reprise delete -f pod.yaml --no-wait    ask for it and go on`,
    )
    .action(async (kind: string | undefined, names: string[], _: unknown, command: Command) => {
      await remove(kind === undefined ? [] : [kind, ...names], command.optsWithGlobals());
    });
}

async function remove(args: readonly string[], options: DeleteCommandOptions): Promise<void> {
  const client = connectAgent(options.socket);
  const wanted = await thingsToDelete(args, options);
  const [pods, objects] = [wanted.filter(isPod), wanted.filter((thing) => !isPod(thing))];
  const removeInTime = (thing: Thing): Promise<void> => {
    const word = thing.kind.toLowerCase();
    const late = {
      what: `the ${word} is not gone yet`,
      where: `${word} ${thing.namespace}/${thing.name}`,
      next: 'allow more with --timeout, or end it at once with --force',
    };
    return withinTime(options.timeout, late, (signal) =>
      isPod(thing)
        ? removePod(client, thing, options, signal)
        : removeObject(client, thing, options, signal),
    );
  };
  // All at once: the grace periods of many pods do not add up.
  const { failures } = await tryAtOnce(pods, removeInTime);
  // After the pods, which may still need the objects on their way out.
  const { failures: more } = await tryInTurn(objects, removeInTime);
  throwAll([...failures, ...more]);
}

interface Named<Kind> {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
}

type Thing = Named<'Pod'> | Named<ObjectKind>;

function isPod(thing: Thing): thing is Named<'Pod'> {
  return thing.kind === 'Pod';
}

async function thingsToDelete(
  args: readonly string[],
  { filename, namespace }: DeleteCommandOptions,
): Promise<readonly Thing[]> {
  if (filename !== undefined) {
    if (args.length > 0) throw new UsageError('-f does not go with names');
    return (await readParts(filename, namespace)).map((part) =>
      part.kind === 'pod'
        ? { ...part.pod.metadata, kind: 'Pod' }
        : { ...part.object.metadata, kind: part.object.kind },
    );
  }
  const objects = objectNames(args);
  if (objects !== undefined) {
    return objects.map(({ kind, name }) => {
      if (name === undefined) throw new UsageError(`name the ${kind} to delete`);
      return { kind, name, namespace: namespace ?? defaultNamespace };
    });
  }
  const names = args.length === 0 ? [] : podNames(args);
  if (names.length === 0) {
    throw new UsageError('name the pods to delete', { next: 'reprise delete pod NAME' });
  }
  return names.map((name) => ({
    kind: 'Pod',
    namespace: namespace ?? defaultNamespace,
    name,
  }));
}

async function removeObject(
  client: Client,
  { kind, namespace, name }: Named<ObjectKind>,
  options: DeleteCommandOptions,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.deleteObject(kind, namespace, name, signal);
    const word = kind.toLowerCase();
    printLine(options.output === 'name' ? `${word}/${name}` : `${word} "${name}" deleted`);
  } catch (error) {
    if (!(options.ignoreNotFound === true && error instanceof NotFoundError)) throw error;
  }
}

async function removePod(
  client: Client,
  { namespace, name }: Named<'Pod'>,
  options: DeleteCommandOptions,
  signal: AbortSignal,
): Promise<void> {
  const done = new AbortController();
  // Begun before the request, so that the end cannot be missed.
  const watched = await client.watchPods(
    { namespace, name },
    AbortSignal.any([signal, done.signal]),
  );
  try {
    const { metadata } = await client.deletePod(namespace, name, deleteOptions(options), signal);
    if (options.wait) await untilGone(watched, metadata);
    printLine(options.output === 'name' ? `pod/${name}` : `pod "${name}" deleted`);
  } catch (error) {
    if (!(options.ignoreNotFound === true && error instanceof NotFoundError)) throw error;
  } finally {
    done.abort();
  }
}

async function untilGone(
  watched: Awaited<ReturnType<Client['watchPods']>>,
  metadata: V1Pod['metadata'],
): Promise<void> {
  for await (const { type, object } of watched) {
    if (type === 'DELETED' && object.metadata.uid === metadata.uid) return;
  }
  throw new RepriseError('the agent has stopped before the pod was gone', {
    where: podsInWords([metadata]),
    next: 'start it again: it goes on with the deletion',
  });
}

function deleteOptions({ gracePeriod, force = false, now }: DeleteCommandOptions): DeleteOptions {
  return { graceSeconds: gracePeriod ?? (now ? 1 : undefined), force };
}
