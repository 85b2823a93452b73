/**
 * `reprise describe pod NAME`: everything about a pod, for people.
 */
import { Command } from 'commander';
import { ageOf } from '../api/age.ts';
import type { V1Event } from '../api/backend.ts';
import type { Client } from '../api/client.ts';
import { connectAgent } from '../api/client.ts';
import { NotFoundError } from '../errors.ts';
import { eventColumns, generationOf } from '../api/table.ts';
import type {
  V1ContainerState,
  V1ContainerStatus,
  V1EphemeralContainer,
  V1Pod,
  V1ResourceStatus,
} from '../pod/pod-status.ts';
import { seconds } from '../pod/container-state.ts';
import type { RestartRecord } from '../pod/memory.ts';
import { beganAt } from '../pod/restart-record.ts';
import { describeCause, ms } from '../timeline/timeline.ts';
import { inOrder } from './events.ts';
import { defaultNamespace } from './options.ts';
import type { GlobalOptions } from './options.ts';
import { printLine, visible } from './output.ts';
import { podNames } from './pod-names.ts';
import { throwAll, tryAtOnce } from './several.ts';
import { TextTable } from './text-table.ts';

/** The command as it is typed. */
export function describeCommand(): Command {
  return new Command('describe')
    .summary('tell everything about a pod')
    .description('Tells what a pod is, how each of its containers is, and what happened to it.')
    .argument('<kind>', 'pod, pods or po; or pod/NAME')
    .argument('[names...]', 'names of pods; all of the namespace without one')
    .addHelpText('after', '\nExample:\n  reprise describe pod trainer')
    .action(async (kind: string, names: string[], _: unknown, command: Command) => {
      await describe([kind, ...names], command.optsWithGlobals());
    });
}

async function describe(args: readonly string[], options: GlobalOptions): Promise<void> {
  const names = podNames(args);
  const namespace = options.namespace ?? defaultNamespace;
  const client = connectAgent(options.socket);
  const { signal } = new AbortController();
  const { results: pods, failures } =
    names.length > 0
      ? await tryAtOnce(names, (name) => client.getPod(namespace, name, signal))
      : { results: await client.listPods({ namespace }, signal), failures: [] };
  for (const [index, pod] of pods.entries()) {
    const { name, uid } = pod.metadata;
    const events = await client.listEvents({ namespace, name }, signal);
    const own = events.filter(({ involvedObject }) => involvedObject.uid === uid);
    const restarts = generationOf(pod) === '0' ? [] : await restartsOf(client, pod, signal);
    if (index > 0) printLine('');
    for (const line of describePod(pod, own, restarts, Date.now())) printLine(line);
  }
  throwAll(failures);
}

/** None of a pod that has gone meanwhile: it was there when it was asked for. */
async function restartsOf(
  client: Client,
  { metadata }: V1Pod,
  signal: AbortSignal,
): Promise<readonly RestartRecord[]> {
  try {
    return await client.listRestarts(metadata.namespace, metadata.name, signal);
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}

/** The whole text. */
export function describePod(
  pod: V1Pod,
  events: readonly V1Event[],
  restarts: readonly RestartRecord[],
  nowMs: number,
): readonly string[] {
  const { metadata, spec, status } = pod;
  return [
    ...fields(0, [
      ['Name', metadata.name],
      ['Namespace', metadata.namespace],
      ['UID', metadata.uid],
      ['Node', `${spec.nodeName}${status.hostIP === undefined ? '' : `/${status.hostIP}`}`],
      ['Start Time', status.startTime ?? '<none>'],
      ['Labels', pairs(metadata.labels)],
      ['Annotations', pairs(metadata.annotations)],
      ...deletionOf(pod),
      ['Status', status.phase],
      ['Reason', status.reason],
      ['Message', status.message],
      ['IPs', status.podIPs?.map(({ ip }) => ip).join(', ') ?? ''],
      ['QoS Class', status.qosClass],
      ['Restart Policy', spec.restartPolicy],
      ['In-place Restarts', generationOf(pod)],
      ['Last In-place Restart', lastRestart(restarts, nowMs)],
    ]),
    ...containers('Init Containers', spec.initContainers, status.initContainerStatuses),
    ...containers('Containers', spec.containers, status.containerStatuses),
    ...containers(
      'Ephemeral Containers',
      spec.ephemeralContainers,
      status.ephemeralContainerStatuses,
    ),
    ...conditions(pod, nowMs),
    ...volumes(pod),
    ...eventLines(events, nowMs),
  ];
}

/** Events are forgotten with the agent; what is on record is not. */
function lastRestart(restarts: readonly RestartRecord[], nowMs: number): string | undefined {
  const record = restarts.at(-1);
  if (record === undefined) return undefined;
  const { trigger, completedAt, cutShortAt } = record;
  const began = beganAt(trigger);
  const outcome =
    completedAt !== undefined
      ? `took ${ms(completedAt - began)}`
      : cutShortAt !== undefined
        ? 'did not complete'
        : `under way for ${ms(nowMs - began)}`;
  return `${seconds(began)}, ${describeCause(trigger)}, ${outcome}`;
}

type Field = readonly [name: string, value: string | number | undefined];

/** `Name:   value`, aligned; fields without a value are left out. */
function fields(indent: number, all: readonly Field[]): readonly string[] {
  const shown = all.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(...shown.map(([name]) => name.length), 0) + 3;
  return shown.map(
    ([name, value]) => `${' '.repeat(indent)}${`${name}:`.padEnd(width)}${visible(String(value))}`,
  );
}

function pairs(values: Readonly<Record<string, string>> = {}): string {
  const all = Object.entries(values).map(([key, value]) => `${key}=${value}`);
  return all.length === 0 ? '<none>' : all.join(', ');
}

function deletionOf({ metadata }: V1Pod): readonly Field[] {
  if (metadata.deletionTimestamp === undefined) return [];
  const seconds = metadata.deletionGracePeriodSeconds ?? 0;
  return [['Terminating', `until ${metadata.deletionTimestamp} (grace period ${seconds}s)`]];
}

function containers(
  title: string,
  specs: readonly V1EphemeralContainer[] = [],
  statuses: readonly V1ContainerStatus[] = [],
): readonly string[] {
  if (specs.length === 0) return [];
  return [
    `${title}:`,
    ...specs.flatMap((spec) => [
      `  ${spec.name}:`,
      ...fields(
        4,
        containerFields(
          spec,
          statuses.find(({ name }) => name === spec.name),
        ),
      ),
    ]),
  ];
}

function containerFields(spec: V1EphemeralContainer, status?: V1ContainerStatus): readonly Field[] {
  return [
    ['Container ID', status?.containerID],
    ['Image', spec.image],
    ['Image ID', status?.imageID],
    ['Command', spec.command?.join(' ')],
    ['Args', spec.args?.join(' ')],
    [
      'Ports',
      spec.ports?.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`).join(', '),
    ],
    ['Target', spec.targetContainerName],
    ['Restart Policy', spec.restartPolicy],
    ...(spec.restartPolicyRules ?? []).map(({ action, exitCodes }, index): Field => [
      `Restart Rule ${index}`,
      `${action} if exit code ${exitCodes.operator} [${exitCodes.values.join(' ')}]`,
    ]),
    ...stateFields('State', status?.state ?? {}),
    ...stateFields('Last State', status?.lastState ?? {}),
    ['Devices', status?.allocatedResourcesStatus?.map(devicesInWords).join(', ')],
    ['Ready', status === undefined ? 'False' : titled(status.ready)],
    ['Restart Count', status?.restartCount ?? 0],
    ['Mounts', spec.volumeMounts?.map(mountInWords).join(', ')],
  ];
}

function devicesInWords({ resources }: V1ResourceStatus): string {
  return resources
    .map(({ resourceID, health }) =>
      health === 'Healthy' ? resourceID : `${resourceID} (${health})`,
    )
    .join(', ');
}

function stateFields(title: string, { waiting, running, terminated }: V1ContainerState): Field[] {
  if (waiting) {
    return [
      [title, 'Waiting'],
      ['  Reason', waiting.reason],
      ['  Message', waiting.message],
    ];
  }
  if (running) {
    return [
      [title, 'Running'],
      ['  Started', running.startedAt],
    ];
  }
  if (!terminated) return [];
  return [
    [title, 'Terminated'],
    ['  Reason', terminated.reason],
    ['  Message', terminated.message],
    ['  Exit Code', terminated.exitCode],
    ['  Started', terminated.startedAt ?? undefined],
    ['  Finished', terminated.finishedAt ?? undefined],
  ];
}

function mountInWords(mount: { name: string; mountPath: string; readOnly?: boolean }): string {
  return `${mount.mountPath} from ${mount.name} (${mount.readOnly ? 'ro' : 'rw'})`;
}

function titled(value: boolean): string {
  return value ? 'True' : 'False';
}

function conditions({ status }: V1Pod, nowMs: number): readonly string[] {
  const width = Math.max(...status.conditions.map(({ type }) => type.length), 0) + 3;
  return [
    'Conditions:',
    ...status.conditions.map(({ type, status: is, lastTransitionTime, reason, message }) => {
      const why = [reason, message].filter((text) => text !== undefined && text !== '').join(': ');
      const since = `for ${ageOf(lastTransitionTime, nowMs)}`;
      return `  ${type.padEnd(width)}${is.padEnd(8)}${since.padEnd(10)}${visible(why)}`.trimEnd();
    }),
  ];
}

function volumes({ spec }: V1Pod): readonly string[] {
  if (!spec.volumes?.length) return [];
  return [
    'Volumes:',
    ...fields(
      2,
      spec.volumes.map(({ name, hostPath, emptyDir, ...source }): Field => {
        if (hostPath) return [name, `hostPath ${hostPath.path} ${hostPath.type}`.trim()];
        if (source.image) return [name, `image ${source.image.reference}`];
        const [kind] = Object.keys(source);
        if (kind !== undefined) return [name, kind];
        const limit = emptyDir?.sizeLimit === undefined ? '' : `, at most ${emptyDir.sizeLimit}`;
        return [name, `emptyDir${emptyDir?.medium ? ` in ${emptyDir.medium}` : ''}${limit}`];
      }),
    ),
  ];
}

function eventLines(events: readonly V1Event[], nowMs: number): readonly string[] {
  if (events.length === 0) return ['Events: <none>'];
  const columns = eventColumns.filter(({ name }) => name !== 'Object');
  const table = new TextTable(columns, { wide: false });
  const lines = table.lines(inOrder(events), nowMs, { header: true });
  return ['Events:', ...lines.map((line) => `  ${line}`)];
}
