/**
 * `reprise apply -f FILE` and `reprise create -f FILE`: hand pods to the agent.
 *
 * The two differ only in what a pod that is already there means: the same one is fine for apply.
 */
import { isDeepStrictEqual } from 'node:util';
import { Command } from 'commander';
import { AlreadyExistsError, ConflictError } from '../errors.ts';
import { connectAgent } from '../api/client.ts';
import type { Client } from '../api/client.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { v1Spec } from '../pod/v1-spec.ts';
import { collect, readManifest } from './manifest-file.ts';
import type { Manifest } from './manifest-file.ts';
import type { GlobalOptions } from './options.ts';
import { printLine } from './output.ts';
import { toYaml } from './yaml.ts';
import { UsageError } from './usage-error.ts';

interface ApplyOptions extends GlobalOptions {
  readonly filename: readonly string[];
  readonly output?: string;
}

/** The command as it is typed. */
export function applyCommand(): Command {
  return handOver('apply')
    .summary('run pods in the agent')
    .description(
      'Hands the pod of each manifest to the agent. A pod that already runs from the same manifest\n' +
        'is left alone; a different one has to be deleted first, as pods cannot be changed.',
    )
    .addHelpText(
      'after',
      `
Examples:
  reprise apply -f pod.yaml
  reprise apply -f web.yaml -f db.yaml
  cat pod.yaml | reprise apply -f -`,
    )
    .action((_: unknown, command: Command) => applyAll(command.optsWithGlobals(), applyOne));
}

/** The command as it is typed. */
export function createCommand(): Command {
  return handOver('create')
    .summary('like apply, for pods that are not there yet')
    .description('Hands the pod of each manifest to the agent; fails if it is already there.')
    .addHelpText('after', '\nExample:\n  reprise create -f pod.yaml')
    .action((_: unknown, command: Command) => applyAll(command.optsWithGlobals(), createOne));
}

function handOver(name: string): Command {
  return new Command(name)
    .requiredOption(
      '-f, --filename <file>',
      'manifest of one Pod, YAML or JSON; - is standard input; may be repeated',
      collect,
    )
    .option('-o, --output <format>', 'name, json or yaml instead of a sentence');
}

type Outcome = readonly [pod: V1Pod, word: 'created' | 'unchanged'];
type HandOver = (client: Client, manifest: Manifest) => Promise<Outcome>;

async function applyAll(options: ApplyOptions, handOverOne: HandOver): Promise<void> {
  const { output } = options;
  if (output !== undefined && !['name', 'json', 'yaml'].includes(output)) {
    throw new UsageError(`unknown output format "${output}"`, { next: 'use name, json or yaml' });
  }
  // All are judged before the first one runs.
  const manifests: Manifest[] = [];
  for (const file of options.filename) manifests.push(await readManifest(file, options.namespace));
  const client = connectAgent(options.socket);
  for (const manifest of manifests) {
    const [pod, word] = await handOverOne(client, manifest);
    if (output === 'json') printLine(JSON.stringify(pod, undefined, 4));
    else if (output === 'yaml') printLine(`---\n${(await toYaml(pod)).trimEnd()}`);
    else printLine(`pod/${pod.metadata.name}${output === 'name' ? '' : ` ${word}`}`);
  }
}

async function createOne(client: Client, { pod, text }: Manifest): Promise<Outcome> {
  const { signal } = new AbortController();
  return [await client.createPod(pod.metadata.namespace, text, signal), 'created'];
}

async function applyOne(client: Client, manifest: Manifest): Promise<Outcome> {
  try {
    return await createOne(client, manifest);
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) throw error;
    const { namespace, name } = manifest.pod.metadata;
    const there = await client.getPod(namespace, name, new AbortController().signal);
    if (isFromManifest(there, manifest)) return [there, 'unchanged'];
    throw new ConflictError(`pod ${namespace}/${name} is there with a different spec`, {
      next: `delete it first: reprise delete pod ${name} -n ${namespace}`,
      cause: error,
    });
  }
}

/** Whether a pod is what this manifest would make. */
export function isFromManifest(there: V1Pod, { pod }: Manifest): boolean {
  const asShown: unknown = JSON.parse(JSON.stringify(v1Spec(pod.spec, there.spec.nodeName)));
  return isDeepStrictEqual(asShown, there.spec);
}
