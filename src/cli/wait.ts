/**
 * `reprise wait pod NAME --for=...`: until something is true of a pod.
 */
import { Command, Option } from 'commander';
import { NotFoundError, RepriseError } from '../errors.ts';
import { connectAgent } from '../api/client.ts';
import type { Client } from '../api/client.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { durationDefault, durationOption } from './duration.ts';
import { asText, parseJsonPath } from './json-path.ts';
import { defaultNamespace } from './options.ts';
import type { GlobalOptions } from './options.ts';
import { printLine } from './output.ts';
import { podNames, podsInWords } from './pod-names.ts';
import { throwAll, tryAtOnce } from './several.ts';
import { withinTime } from './time-limit.ts';
import { UsageError } from './usage-error.ts';

interface WaitOptions extends GlobalOptions {
  readonly for: string;
  readonly timeout: number;
}

/** The command as it is typed. */
export function waitCommand(): Command {
  return new Command('wait')
    .summary('wait until something is true of a pod')
    .description('Waits until a condition holds; every state counts, however short it lasts.')
    .argument('<kind>', 'pod, pods or po; or pod/NAME')
    .argument('[names...]', 'names of pods')
    .requiredOption(
      '--for <what>',
      'condition=TYPE[=STATUS], delete, create or jsonpath={PATH}[=VALUE]',
    )
    .addOption(
      durationDefault(
        new Option(
          '--timeout <duration>',
          'give up after this time; 0: look once, and do not wait',
        ),
        30_000,
      ).argParser(durationOption()),
    )
    .addHelpText(
      'after',
      `
Examples:
  reprise wait pod web --for=condition=Ready --timeout=60s
  reprise wait pod web --for=jsonpath='{.status.phase}'=Succeeded
  reprise wait pod web --for=condition=AllContainersRestarting
  reprise wait pod web --for=delete`,
    )
    .action(async (kind: string, names: string[], _: unknown, command: Command) => {
      await wait([kind, ...names], command.optsWithGlobals());
    });
}

async function wait(args: readonly string[], options: WaitOptions): Promise<void> {
  const names = podNames(args);
  if (names.length === 0) throw new UsageError('name the pods to wait for');
  const goal = parseGoal(options.for);
  const client = connectAgent(options.socket);
  const namespace = options.namespace ?? defaultNamespace;
  const { failures } = await tryAtOnce(names, (name) => {
    if (options.timeout === 0) return checkOne(client, namespace, name, goal, options.for);
    const late = {
      what: `waiting for ${options.for}`,
      where: podsInWords([{ namespace, name }]),
      next: 'look with "reprise describe pod", or allow more with --timeout',
    };
    return withinTime(options.timeout, late, (signal) =>
      waitForOne(client, namespace, name, goal, signal),
    );
  });
  throwAll(failures);
}

type Goal =
  | { readonly kind: 'delete' }
  | { readonly kind: 'create' }
  | { readonly kind: 'state'; readonly holds: (pod: V1Pod) => boolean };

/** What `--for` says. */
export function parseGoal(text: string): Goal {
  if (text === 'delete' || text === 'create') return { kind: text };
  const [, form, rest = ''] = /^(condition|jsonpath)=(.+)$/s.exec(text) ?? [];
  if (form === 'condition') {
    const [type = '', status = 'True'] = rest.split('=');
    return { kind: 'state', holds: (pod) => hasCondition(pod, type, status) };
  }
  if (form === 'jsonpath') {
    const [, path = '', , value] = /^(\{.*\}|[^=]*)(=(.*))?$/s.exec(rest) ?? [];
    const find = parseJsonPath(path.replace(/^'(.*)'$/, '$1'));
    return {
      kind: 'state',
      holds: (pod) => find(pod).some((one) => value === undefined || asText(one) === value),
    };
  }
  throw new UsageError(`--for=${text} is not understood`, {
    next: "write condition=Ready, delete, create or jsonpath='{.status.phase}'=Running",
  });
}

function hasCondition({ status }: V1Pod, type: string, wanted: string): boolean {
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  return status.conditions.some((one) => same(one.type, type) && same(one.status, wanted));
}

async function waitForOne(
  client: Client,
  namespace: string,
  name: string,
  goal: Goal,
  signal: AbortSignal,
): Promise<void> {
  const done = new AbortController();
  try {
    const watched = await client.watchPods(
      { namespace, name },
      AbortSignal.any([signal, done.signal]),
    );
    if (!(await isThere(client, namespace, name, goal, signal))) return;
    for await (const { type, object } of watched) {
      if (isReached(goal, type, object)) {
        printLine(`pod/${name} condition met`);
        return;
      }
      if (type === 'DELETED') {
        throw new RepriseError('the pod was deleted before it came true', {
          where: podsInWords([object.metadata]),
          next: 'create it again, or wait with --for=delete',
        });
      }
    }
    throw new RepriseError('the agent has stopped', {
      where: client.socket,
      next: 'start it again, and wait again',
    });
  } finally {
    done.abort();
  }
}

/** As things are now. */
async function checkOne(
  client: Client,
  namespace: string,
  name: string,
  goal: Goal,
  what: string,
): Promise<void> {
  if (!(await isReachedNow(client, namespace, name, goal))) {
    throw new RepriseError(`--for=${what} does not hold yet`, {
      where: podsInWords([{ namespace, name }]),
      next: 'give it time with --timeout, or look with "reprise describe pod"',
    });
  }
  printLine(`pod/${name} condition met`);
}

async function isReachedNow(
  client: Client,
  namespace: string,
  name: string,
  goal: Goal,
): Promise<boolean> {
  try {
    const pod = await client.getPod(namespace, name, new AbortController().signal);
    return isReached(goal, 'MODIFIED', pod);
  } catch (error) {
    if (goal.kind !== 'delete' || !(error instanceof NotFoundError)) throw error;
    return true;
  }
}

/** A pod that is not there has been deleted already, will be created, or is a mistake. */
async function isThere(
  client: Client,
  namespace: string,
  name: string,
  goal: Goal,
  signal: AbortSignal,
): Promise<boolean> {
  if (goal.kind === 'create') return true;
  try {
    await client.getPod(namespace, name, signal);
    return true;
  } catch (error) {
    if (goal.kind !== 'delete' || !(error instanceof NotFoundError)) throw error;
    printLine(`pod/${name} condition met`);
    return false;
  }
}

function isReached(goal: Goal, type: 'ADDED' | 'MODIFIED' | 'DELETED', pod: V1Pod): boolean {
  if (goal.kind === 'delete') return type === 'DELETED';
  if (type === 'DELETED') return false;
  return goal.kind === 'create' || goal.holds(pod);
}
