/**
 * `reprise restart pod NAME`: restarts a pod in place, as if a restart rule had matched.
 */
import { userInfo } from 'node:os';
import { Command, Option } from 'commander';
import { RepriseError } from '../errors.ts';
import { connectAgent } from '../api/client.ts';
import type { Client } from '../api/client.ts';
import { generationOf } from '../api/table.ts';
import { durationDefault, durationOption } from './duration.ts';
import { defaultNamespace } from './options.ts';
import type { GlobalOptions } from './options.ts';
import { printLine } from './output.ts';
import { onePodName, podsInWords } from './pod-names.ts';
import { withinTime } from './time-limit.ts';

interface RestartOptions extends GlobalOptions {
  readonly wait?: boolean;
  readonly timeout: number;
}

/** The command as it is typed. */
export function restartCommand(): Command {
  return new Command('restart')
    .summary('restart all containers of a pod in place')
    .description(
      'Kills every container of the pod and runs its whole start-up again in the same sandbox: ' +
        'same address, same volumes with their content, same devices.',
    )
    .argument('<pod...>', 'pod NAME, pod/NAME or NAME')
    .option('--wait', 'wait until all containers run again, and say how long it took')
    .addOption(
      durationDefault(
        new Option('--timeout <duration>', 'give up waiting after this time; 0: never'),
        300_000,
      ).argParser(durationOption()),
    )
    .addHelpText(
      'after',
      `
Examples:
  reprise restart pod trainer
  reprise restart pod trainer --wait`,
    )
    .action(async (args: string[], _: unknown, command: Command) => {
      await restart(args, command.optsWithGlobals());
    });
}

async function restart(args: readonly string[], options: RestartOptions): Promise<void> {
  const name = onePodName(args, 'reprise restart pod NAME');
  const namespace = options.namespace ?? defaultNamespace;
  const client = connectAgent(options.socket);
  const by = `user ${userInfo().username}`;
  if (!options.wait) {
    const pod = await client.restartPod(namespace, name, by, new AbortController().signal);
    printLine(`pod/${name} restarts in place (generation ${generationOf(pod)})`);
    return;
  }
  const late = {
    what: 'the pod is not up again',
    where: podsInWords([{ namespace, name }]),
    next: `look at it: reprise describe pod ${name} -n ${namespace}`,
  };
  await withinTime(options.timeout, late, async (signal) => {
    printLine(`pod/${name}: ${await restarted(client, namespace, name, by, signal)}`);
  });
}

/** Restarts and waits; returns what the agent says of it. */
async function restarted(
  client: Client,
  namespace: string,
  name: string,
  by: string,
  signal: AbortSignal,
): Promise<string> {
  const done = new AbortController();
  const either = AbortSignal.any([signal, done.signal]);
  try {
    const events = await client.watchEvents({ namespace, name }, either);
    const pods = await client.watchPods({ namespace, name }, either);
    const { metadata } = await client.restartPod(namespace, name, by, signal);
    const finished = async (): Promise<string> => {
      for await (const { object } of events) {
        const isNew = Number(object.metadata.resourceVersion) > Number(metadata.resourceVersion);
        const isIt = object.reason === 'RestartedAllContainers';
        if (isNew && isIt && object.involvedObject.uid === metadata.uid) return object.message;
      }
      throw new RepriseError('the agent has stopped before the restart was over', {
        where: podsInWords([metadata]),
        next: 'start it again: it goes on with the restart',
      });
    };
    const ended = async (): Promise<never> => {
      for await (const { type, object } of pods) {
        const { phase } = object.status;
        if (type === 'DELETED' || phase === 'Failed' || phase === 'Succeeded') {
          const how = type === 'DELETED' ? 'deleted' : phase;
          throw new RepriseError(`pod ${name} is ${how} before the restart was over`, {
            where: podsInWords([metadata]),
            next: `reprise describe pod ${name} -n ${namespace}`,
          });
        }
      }
      return new Promise(() => undefined);
    };
    return await Promise.race([finished(), ended()]);
  } finally {
    done.abort();
  }
}
