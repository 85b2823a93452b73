/**
 * `reprise apply -f FILE` and `reprise create -f FILE`: hand pods, and what they use, to the agent.
 *
 * The two differ only in what it means that something is there already: apply leaves the same pod
 * alone, and changes an object into what the manifest says.
 */
import { Command } from 'commander';
import { AlreadyExistsError, ConflictError } from '../errors.ts';
import { connectAgent } from '../api/client.ts';
import type { ManifestPod } from '../api/backend.ts';
import type { Client } from '../api/client.ts';
import type { ManifestObject, V1Object } from '../pod/objects.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { asDocument, collect, readParts } from './manifest-file.ts';
import type { GlobalOptions } from './options.ts';
import { printLine } from './output.ts';
import { differences, isSameObject } from './same-pod.ts';
import { throwAll, tryInTurn } from './several.ts';
import { toYaml } from './yaml.ts';
import { UsageError } from './usage-error.ts';

interface ApplyOptions extends GlobalOptions {
  readonly filename: readonly string[];
  readonly output?: string;
}

/** The command as it is typed. */
export function applyCommand(): Command {
  return handOver('apply')
    .summary('run pods in the agent, and keep what they use')
    .description(
      'Hands each pod, ConfigMap, Secret and PersistentVolumeClaim to the agent. A pod that already ' +
        'runs from the same manifest is left alone; a different one has to be deleted first, as pods ' +
        'cannot be changed. Objects can be.',
    )
    .addHelpText(
      'after',
      `
Examples:
  reprise apply -f pod.yaml
  reprise apply -f web.yaml -f settings.yaml
  reprise apply -f manifests/
  cat pod.yaml | reprise apply -f -`,
    )
    .action((_: unknown, command: Command) => handOverAll(command.optsWithGlobals(), apply));
}

/** The command as it is typed. */
export function createCommand(): Command {
  return handOver('create')
    .summary('like apply, for pods that are not there yet')
    .description('Hands what each manifest holds to the agent; fails if it is already there.')
    .addHelpText('after', '\nExample:\n  reprise create -f pod.yaml')
    .action((_: unknown, command: Command) => handOverAll(command.optsWithGlobals(), create));
}

function handOver(name: string): Command {
  return new Command(name)
    .requiredOption(
      '-f, --filename <file>',
      'manifest, YAML or JSON, or a folder of them; - is standard input; may be repeated',
      collect,
    )
    .option('-o, --output <format>', 'name, json or yaml instead of a sentence');
}

type Word = 'created' | 'configured' | 'unchanged';
type Outcome<T> = readonly [thing: T, word: Word];

/** What is done with each pod and each object. */
interface HandOver {
  readonly pod: (client: Client, pod: ManifestPod, text: string) => Promise<Outcome<V1Pod>>;
  readonly object: (client: Client, object: ManifestObject) => Promise<Outcome<V1Object>>;
}

async function handOverAll(options: ApplyOptions, handOver: HandOver): Promise<void> {
  const { output } = options;
  if (output !== undefined && !['name', 'json', 'yaml'].includes(output)) {
    throw new UsageError(`unknown output format "${output}"`, { next: 'use name, json or yaml' });
  }
  // All are judged before the first one runs; and what pods use is there before them.
  const parts = await readParts(options.filename, options.namespace);
  const sorted = parts.toSorted((a, b) => Number(a.kind === 'pod') - Number(b.kind === 'pod'));
  const client = connectAgent(options.socket);
  const { failures } = await tryInTurn(sorted, async (part) => {
    const [thing, word] =
      part.kind === 'pod'
        ? await handOver.pod(client, part.pod, asDocument(part.document.value))
        : await handOver.object(client, part.object);
    if (output === 'json') printLine(JSON.stringify(thing, undefined, 4));
    else if (output === 'yaml') printLine(`---\n${(await toYaml(thing)).trimEnd()}`);
    else {
      const name = `${thing.kind.toLowerCase()}/${thing.metadata.name}`;
      printLine(output === 'name' ? name : `${name} ${word}`);
    }
  });
  throwAll(failures);
}

const create: HandOver = {
  pod: async (client, { metadata }, text) => {
    return [await client.createPod(metadata.namespace, text, never()), 'created'];
  },
  object: async (client, object) => [await client.createObject(object, never()), 'created'],
};

const apply: HandOver = {
  async pod(client, pod, text) {
    try {
      return await create.pod(client, pod, text);
    } catch (error) {
      if (!(error instanceof AlreadyExistsError)) throw error;
      const { namespace, name } = pod.metadata;
      const there = await client.getPod(namespace, name, never());
      if (there.metadata.deletionTimestamp !== undefined) {
        throw new ConflictError(`pod ${namespace}/${name} is being deleted`, {
          where: `pod ${namespace}/${name}, uid ${there.metadata.uid}`,
          next: `apply it again when it is gone: reprise wait pod ${name} -n ${namespace} --for=delete`,
          cause: error,
        });
      }
      const differs = differences(there, pod);
      if (differs.length === 0) return [there, 'unchanged'];
      throw new ConflictError(`pod ${namespace}/${name} is there from a different manifest`, {
        where: [`pod ${namespace}/${name}`, ...differs].join(', '),
        next: `delete it first: reprise delete pod ${name} -n ${namespace}`,
        cause: error,
      });
    }
  },
  async object(client, object) {
    try {
      return await create.object(client, object);
    } catch (error) {
      if (!(error instanceof AlreadyExistsError)) throw error;
      const { namespace, name } = object.metadata;
      const there = await client.getObject(object.kind, namespace, name, never());
      if (isSameObject(there, object)) return [there, 'unchanged'];
      return [await client.replaceObject(object, never()), 'configured'];
    }
  },
};

/** The agent answers soon, or the connection breaks. */
function never(): AbortSignal {
  return new AbortController().signal;
}
