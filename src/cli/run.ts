/**
 * `reprise run -f FILE`: one pod in the foreground until it ends.
 *
 * Always a client of an agent: of the one that listens on the socket, or else of one in this very
 * process that hosts this pod only. So there is one way a pod is run, watched and removed.
 *
 * Read next: story.ts, what is told; host-agent.ts, the agent in this process.
 */
import { Command, Option } from 'commander';
import { RepriseError } from '../errors.ts';
import { connectAgent } from '../api/client.ts';
import type { Client } from '../api/client.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import { acceptPod } from './accept-pod.ts';
import { isAgentThere } from './agent-there.ts';
import { catchInterrupts, interruptExitCode } from './interrupt.ts';
import type { Interrupts } from './interrupt.ts';
import { collect, readManifest } from './manifest-file.ts';
import type { HostedAgent } from './host-agent.ts';
import type { Manifest } from './manifest-file.ts';
import { narrator } from './narrator.ts';
import type { Narrator } from './narrator.ts';
import { withNodeOptions } from './options.ts';
import type { GlobalOptions, NodeOptions } from './options.ts';
import { noteLine } from './output.ts';
import { explainFailure } from './post-mortem.ts';
import { tellEvent, tellPod } from './story.ts';

interface RunOptions extends GlobalOptions, NodeOptions {
  readonly filename: readonly string[];
  readonly output?: 'json';
  readonly replace?: boolean;
}

/** The command as it is typed. */
export function runCommand(): Command {
  const command = new Command('run')
    .summary('run one pod in the foreground')
    .description(
      'Runs a pod until it ends and tells what happens, a line for each event; then removes it. ' +
        'Uses the agent that listens on the socket; without one, it is its own. ConfigMaps, Secrets ' +
        'and PersistentVolumeClaims next to the pod are seen by this pod alone, and go with it.',
    )
    .requiredOption(
      '-f, --filename <file>',
      'manifest of one Pod and objects it uses; - is standard input; may be repeated',
      collect,
    )
    .addOption(new Option('-o, --output <format>', 'JSON lines').choices(['json']))
    .option('--replace', 'delete a pod of that name first');
  return withNodeOptions(command)
    .addHelpText(
      'after',
      `
Ctrl-C, SIGTERM or a lost terminal deletes the pod within its grace period; a
second signal kills it at once. With nohup it stays without its terminal.
After a crash of this program the pod lives on, and the same command takes it
up again.

Exit codes:
  0 the pod Succeeded        2 bad usage or manifest     130 ended by Ctrl-C
  1 it Failed, or an error   3 containerd unreachable    143 ended by SIGTERM
                                                         129 terminal lost

Examples:
  sudo reprise run -f examples/ml-worker.yaml
  sudo reprise run -f pod.yaml -o json | jq .text
  sudo reprise run -f pod.yaml --containerd /run/lab/containerd.sock \\
    --data-dir /tmp/lab --socket /tmp/lab/api.sock   beside an agent`,
    )
    .action(async (_: unknown, command: Command) => {
      process.exitCode = await run(command.optsWithGlobals(), command);
    });
}

async function run(options: RunOptions, command: Command): Promise<number> {
  const manifest = await readManifest(options.filename, options.namespace);
  using interrupts = catchInterrupts();
  await using stack = new AsyncDisposableStack();
  let hosted: HostedAgent | undefined;
  if (!(await isAgentThere(options.socket, command))) {
    const start = new AbortController();
    interrupts.onEach(() => start.abort());
    try {
      hosted = stack.use(await hostOne(options, manifest, start.signal));
    } catch (error) {
      // Interrupted before there was a pod: whatever broke, broke because of that.
      const interrupt = interrupts.first();
      if (interrupt !== undefined) return interruptExitCode[interrupt];
      throw error;
    }
  }
  const client = connectAgent(options.socket);
  const ran = runPod(client, manifest, options, hosted, interrupts);
  return await (hosted === undefined ? ran : Promise.race([ran, hosted.failed]));
}

async function hostOne(
  options: RunOptions,
  { pod }: Manifest,
  signal: AbortSignal,
): Promise<HostedAgent> {
  const { agentLogger, hostAgent } = await import('./host-agent.ts');
  const { namespace, name } = pod.metadata;
  // The story is told by us; the agent only speaks up about its own troubles.
  return hostAgent({ ...options, only: { namespace, name }, log: agentLogger('error') }, signal);
}

async function runPod(
  client: Client,
  manifest: Manifest,
  options: RunOptions,
  hosted: HostedAgent | undefined,
  interrupts: Interrupts,
): Promise<number> {
  const { namespace, name } = manifest.pod.metadata;
  const ended = new AbortController();
  const tell = narrator({ json: options.output === 'json', names: namesIn(manifest) });
  try {
    // Begun before there is a pod, so that not even its end can be missed.
    const pods = await client.watchPods({ namespace, name }, ended.signal);
    const accepting = { replace: options.replace === true, hosted, interrupts };
    const accepted = await acceptPod(client, manifest, accepting, ended.signal);
    if (accepted === undefined) return interruptExitCode[interrupts.first() ?? 'SIGINT'];
    const telling = tellEvents(client, accepted, tell, ended.signal);
    deleteOnInterrupt(client, accepted, interrupts, ended.signal);
    const last = await tellUntilEnd(client, accepted, pods, tell, options, ended.signal);
    ended.abort();
    await telling;
    const interrupt = interrupts.first();
    if (interrupt !== undefined) return interruptExitCode[interrupt];
    return last.status.phase === 'Succeeded' ? 0 : 1;
  } finally {
    ended.abort();
  }
}

/** Tells every change of the pod; removes it when it has ended. Returns its last state. */
async function tellUntilEnd(
  client: Client,
  accepted: V1Pod,
  pods: Awaited<ReturnType<Client['watchPods']>>,
  tell: Narrator,
  { output }: RunOptions,
  signal: AbortSignal,
): Promise<V1Pod> {
  const { namespace, name, uid } = accepted.metadata;
  let before: V1Pod | undefined;
  let isRemoved = false;
  for await (const { type, object } of pods) {
    if (object.metadata.uid !== uid) continue;
    for (const line of tellPod(before, object)) tell(line);
    before = object;
    if (type === 'DELETED') return object;
    const { phase } = object.status;
    if (isRemoved || (phase !== 'Succeeded' && phase !== 'Failed')) continue;
    isRemoved = true;
    if (phase === 'Failed' && object.metadata.deletionTimestamp === undefined) {
      await explainFailure(client, object, { json: output === 'json' }, signal);
    }
    await client.deletePod(namespace, name, { force: false }, signal);
  }
  throw new RepriseError(`the agent has stopped while pod ${namespace}/${name} ran`, {
    where: client.socket,
    next: `look after the pod with: reprise get pod ${name} -n ${namespace}`,
  });
}

async function tellEvents(
  client: Client,
  { metadata }: V1Pod,
  tell: Narrator,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name, uid } = metadata;
  try {
    for await (const { type, object } of await client.watchEvents({ namespace, name }, signal)) {
      const isOurs = object.involvedObject.uid === uid;
      if (isOurs && type !== 'DELETED') for (const line of tellEvent(object)) tell(line);
    }
  } catch (error) {
    // The pod's own watch reports the broken connection; one report is enough.
    if (!signal.aborted && !(error instanceof RepriseError)) throw error;
  }
}

/** The first signal asks for the end, the next one forces it. */
function deleteOnInterrupt(
  client: Client,
  { metadata: { namespace, name } }: V1Pod,
  interrupts: Interrupts,
  signal: AbortSignal,
): void {
  interrupts.onEach((_, count) => {
    const force = count > 1;
    noteLine(force ? 'killing the pod' : 'deleting the pod; once more kills it at once');
    client.deletePod(namespace, name, { force }, signal).catch((error: unknown) => {
      // Gone already, or the main loop reports it.
      if (!signal.aborted && !(error instanceof RepriseError)) throw error;
    });
  });
}

function namesIn({ pod: { spec } }: Manifest): readonly string[] {
  return [...spec.initContainers, ...spec.containers].map(({ name }) => name);
}
