/**
 * `reprise debug NAME --image IMAGE`: adds an ephemeral container to a running pod, to look into it.
 */
import { randomInt } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import { RepriseError } from '../errors.ts';
import { connectAgent } from '../api/client.ts';
import type { Client } from '../api/client.ts';
import type { V1ContainerState, V1EphemeralContainer, V1Pod } from '../pod/pod-status.ts';
import { splitAtDashes } from './at-dashes.ts';
import type { Typed } from './at-dashes.ts';
import { durationDefault, durationOption } from './duration.ts';
import { defaultNamespace } from './options.ts';
import type { GlobalOptions } from './options.ts';
import { printLine } from './output.ts';
import { onePodName, podsInWords } from './pod-names.ts';
import { withinTime } from './time-limit.ts';
import { UsageError } from './usage-error.ts';

interface DebugOptions extends GlobalOptions {
  readonly image: string;
  readonly container?: string;
  readonly target?: string;
  readonly env?: readonly EnvPair[];
  readonly output?: string;
  readonly timeout: number;
}

interface EnvPair {
  readonly name: string;
  readonly value: string;
}

/** The command as it is typed. */
export function debugCommand(): Command {
  return new Command('debug')
    .summary('look into a running pod with a container of your own')
    .description(
      'Adds an ephemeral container to a running pod: it shares the network of the pod, and with ' +
        '--target it sees the processes of one of its containers. It is started once, restarts ' +
        'of the pod in place leave it alone, and it ends with the pod.\n\n' +
        'It has no terminal: give it a command, and read what that writes with "reprise logs"; or ' +
        'let it sleep, and go into it with "reprise exec".',
    )
    .argument('<pod...>', 'NAME or pod/NAME; then, after --, a command with its arguments')
    .requiredOption('--image <image>', 'the image to run')
    .option('-c, --container <name>', 'name of the new container (default: debugger-xxxxx)')
    .option(
      '--target <container>',
      'see the processes of this one; it ends with it, at the latest at the next restart',
    )
    .option('--env <name=value>', 'a variable; may be given again', envPair)
    .option('-o, --output <format>', 'json: the whole pod; name: the name of the new container')
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
  reprise debug trainer --image busybox -- nslookup registry.example.org
  reprise debug trainer --image busybox --target main -- ps
  reprise debug trainer --image nicolaka/netshoot -c sniffer -- tcpdump -i eth0
  reprise logs trainer -c sniffer -f
  reprise logs trainer -c "$(reprise debug trainer --image busybox -o name -- ip addr)"`,
    )
    .action(async (args: string[], _: unknown, command: Command) => {
      await debug(splitAtDashes(args, process.argv), command.optsWithGlobals());
    });
}

async function debug({ pod: args, command }: Typed, options: DebugOptions): Promise<void> {
  const podName = onePodName(args, 'reprise debug NAME --image IMAGE -- COMMAND');
  if (options.output !== undefined && !['json', 'name'].includes(options.output)) {
    throw new UsageError(`unknown output format "${options.output}"`, { next: 'use json or name' });
  }
  const namespace = options.namespace ?? defaultNamespace;
  const container = containerOf(command, options);
  const late = {
    what: `container ${container.name} has not been started yet`,
    where: podsInWords([{ namespace, name: podName }]),
    next: `it goes on trying; look at it: reprise describe pod ${podName} -n ${namespace}`,
  };
  await withinTime(options.timeout, late, async (signal) => {
    const client = connectAgent(options.socket);
    const isForPeople = options.output === undefined;
    const told = isForPeople ? printLine : () => undefined;
    const pod = await added(client, { namespace, name: podName }, container, told, signal);
    if (options.output === 'json') printLine(JSON.stringify(pod, undefined, 4));
    else if (options.output === 'name') printLine(container.name);
    else tellHowToRead(pod, container.name);
  });
}

function containerOf(
  command: readonly string[],
  { image, container, target, env = [] }: DebugOptions,
): V1EphemeralContainer {
  return {
    name: container ?? `debugger-${randomName()}`,
    image,
    ...(command.length > 0 && { command }),
    ...(env.length > 0 && { env }),
    ...(target !== undefined && { targetContainerName: target }),
    // As with kubectl's profile `general`: to look at processes of other users, too.
    securityContext: { capabilities: { add: ['SYS_PTRACE'], drop: [] } } as never,
  };
}

/** Adds it and waits; returns the pod in which it runs, or has run. */
async function added(
  client: Client,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  container: V1EphemeralContainer,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<V1Pod> {
  const done = new AbortController();
  try {
    const either = AbortSignal.any([signal, done.signal]);
    const pods = await client.watchPods({ namespace, name }, either);
    assertAlive(await client.getPod(namespace, name, signal));
    const { metadata } = await client.addEphemeralContainer(namespace, name, container, signal);
    tell(`pod/${name}: added container ${container.name} (${container.image})`);
    for await (const { type, object } of pods) {
      if (object.metadata.uid !== metadata.uid) continue;
      const state = stateOf(object, container.name);
      if (state?.running !== undefined || state?.terminated !== undefined) return object;
      if (type === 'DELETED') break;
      assertAlive(object);
      if (state?.waiting !== undefined) assertOnItsWay(object, container, state.waiting);
    }
    throw new RepriseError(`container ${container.name} has not been started`, {
      where: podsInWords([{ namespace, name }]),
      next: 'the pod was deleted, or the agent has stopped: reprise get pods',
    });
  } finally {
    done.abort();
  }
}

function stateOf({ status }: V1Pod, name: string): V1ContainerState | undefined {
  return status.ephemeralContainerStatuses?.find((one) => one.name === name)?.state;
}

function assertAlive({ metadata, status }: V1Pod): void {
  const { phase } = status;
  const isOver = phase === 'Succeeded' || phase === 'Failed';
  if (!isOver && metadata.deletionTimestamp === undefined) return;
  throw new RepriseError(
    `pod ${metadata.name} ${isOver ? `has ${phase}` : 'is ending'}: nothing is started in it any more`,
    { where: podsInWords([metadata]), next: `reprise describe pod ${metadata.name}` },
  );
}

/** Reasons of a wait that is not one: it is being made. */
const onItsWay: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

function assertOnItsWay(
  { metadata }: V1Pod,
  { name }: V1EphemeralContainer,
  { reason = '', message = '' }: { readonly reason?: string; readonly message?: string },
): void {
  if (onItsWay.has(reason)) return;
  throw new RepriseError(`container ${name} waits: ${reason}: ${message}`, {
    where: `pod ${metadata.namespace}/${metadata.name}, container "${name}"`,
    next: `it starts by itself when that is over; look at it: reprise describe pod ${metadata.name} -n ${metadata.namespace}`,
  });
}

function tellHowToRead(pod: V1Pod, name: string): void {
  const { namespace, name: podName } = pod.metadata;
  const ended = stateOf(pod, name)?.terminated;
  const inNamespace = namespace === defaultNamespace ? '' : ` -n ${namespace}`;
  const read = `reprise logs ${podName} -c ${name}${inNamespace}`;
  if (ended === undefined) printLine(`it runs; what it writes: ${read} -f`);
  else printLine(`it has ended with code ${ended.exitCode}; what it wrote: ${read}`);
}

function envPair(text: string, sofar: readonly EnvPair[] = []): readonly EnvPair[] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be NAME=VALUE.');
  return [...sofar, { name: text.slice(0, at), value: text.slice(at + 1) }];
}

/** Letters and digits that make no words, as Kubernetes makes names up. */
function randomName(): string {
  const letters = 'bcdfghjklmnpqrstvwxz2456789';
  return Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
}
