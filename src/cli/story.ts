/**
 * What happens to a pod, told line by line, from one state of it to the next. Pure.
 *
 * The pod's own changes tell of containers and phases; its events tell of in-place restarts (they
 * know the trigger and the duration) and of everything that goes wrong.
 */
import type { V1Event } from '../api/backend.ts';
import { containerOf } from '../api/table.ts';
import type { V1ContainerStatus, V1ContainerTerminated, V1Pod } from '../pod/pod-status.ts';

export interface StoryLine {
  /** Absent: it is about the pod as a whole. */
  readonly container?: string;
  readonly what: What;
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'bad' | 'notice';
  /** Facts for programs. */
  readonly facts: Readonly<Record<string, string | number | undefined>>;
}

type What =
  | 'accepted'
  | 'started'
  | 'exited'
  | 'waiting'
  | 'pulling'
  | 'phase'
  | 'deleting'
  | 'event'
  | 'restarting'
  | 'restarted';

/** What has changed from one state of a pod to the next; `before` is absent for its first one. */
export function tellPod(before: V1Pod | undefined, after: V1Pod): readonly StoryLine[] {
  return [
    ...(before === undefined ? [accepted(after)] : []),
    ...statusesOf(after).flatMap((status) =>
      tellContainer(
        statusesOf(before).find(({ name }) => name === status.name),
        status,
      ),
    ),
    ...tellPhase(before, after),
    ...tellDeleting(before, after),
  ];
}

/** What an event adds to the story; nothing for those that only repeat what the pod shows. */
export function tellEvent(event: V1Event): readonly StoryLine[] {
  const { type, reason, message } = event;
  const container = containerOf(event) || undefined;
  const facts = { reason, message };
  if (reason === 'RestartingAllContainers') {
    return [{ what: 'restarting', text: message, tone: 'notice', facts }];
  }
  if (reason === 'RestartedAllContainers') {
    return [{ what: 'restarted', text: message, tone: 'good', facts }];
  }
  // The container's own state says the same.
  if (container !== undefined && shownByState.has(reason)) return [];
  const isSlow = reason === 'Pulling' || message.startsWith('Successfully pulled');
  if (type !== 'Warning' && !isSlow) return [];
  const tone = type === 'Warning' ? 'bad' : 'plain';
  return [{ container, what: 'event', text: `${reason}: ${message}`, tone, facts }];
}

const shownByState: ReadonlySet<string> = new Set([
  'Failed',
  'BackOff',
  'InspectFailed',
  'ErrImageNeverPull',
]);

/** Init containers and app containers, in that order. */
export function statusesOf(pod: V1Pod | undefined): readonly V1ContainerStatus[] {
  return [...(pod?.status.initContainerStatuses ?? []), ...(pod?.status.containerStatuses ?? [])];
}

function tellContainer(
  before: V1ContainerStatus | undefined,
  after: V1ContainerStatus,
): readonly StoryLine[] {
  const told = [before?.state.terminated, before?.lastState.terminated];
  const isNews = (end: V1ContainerTerminated | undefined): end is V1ContainerTerminated =>
    end !== undefined && !told.some((known) => known && isSameEnd(known, end));
  const { name, state, lastState } = after;
  return [
    ...(isNews(lastState.terminated) ? [exited(name, lastState.terminated)] : []),
    ...(state.running && !isSameRun(before, after) ? [started(after)] : []),
    ...(isNews(state.terminated) ? [exited(name, state.terminated)] : []),
    ...tellWaiting(before, after),
  ];
}

function isSameEnd(a: V1ContainerTerminated, b: V1ContainerTerminated): boolean {
  if (a.containerID !== b.containerID || a.exitCode !== b.exitCode) return false;
  // Of one that was killed it may be known that it is dead before it is known since when.
  return a.finishedAt === b.finishedAt || !a.finishedAt || !b.finishedAt;
}

function isSameRun(before: V1ContainerStatus | undefined, after: V1ContainerStatus): boolean {
  return before?.state.running !== undefined && before.containerID === after.containerID;
}

function started({ name, restartCount, containerID }: V1ContainerStatus): StoryLine {
  const text = restartCount === 0 ? 'started' : `started (restart ${restartCount})`;
  const facts = { restartCount, containerID };
  return { container: name, what: 'started', text, tone: 'plain', facts };
}

function exited(name: string, end: V1ContainerTerminated): StoryLine {
  const seconds = secondsOf(end);
  const ran = seconds === undefined || seconds < 1 ? '' : ` after ${seconds}s`;
  const why = end.reason === undefined ? '' : ` (${end.reason})`;
  const message = end.message && end.exitCode !== 0 ? `: ${end.message}` : '';
  const isOurs = end.reason === 'RestartingAllContainers';
  return {
    container: name,
    what: 'exited',
    text: `exited with code ${end.exitCode}${why}${ran}${isOurs ? '' : message}`,
    tone: end.exitCode === 0 || isOurs ? 'plain' : 'bad',
    facts: { exitCode: end.exitCode, reason: end.reason, message: end.message },
  };
}

function secondsOf({ startedAt, finishedAt }: V1ContainerTerminated): number | undefined {
  if (!startedAt || !finishedAt) return undefined;
  return Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
}

/** Waiting for its turn is no news. */
const quiet: ReadonlySet<string> = new Set([
  'PodInitializing',
  'ContainerCreating',
  'RestartingAllContainers',
]);

function tellWaiting(
  before: V1ContainerStatus | undefined,
  { name, state: { waiting }, lastState }: V1ContainerStatus,
): readonly StoryLine[] {
  const reason = waiting?.reason ?? '';
  const reasonBefore = before?.state.waiting?.reason;
  const message = waiting?.message;
  if (quiet.has(reason) && message?.startsWith('Pulling image ') === true) {
    if (before?.state.waiting?.message === message) return [];
    const facts = { reason, message };
    return [{ container: name, what: 'pulling', text: message, tone: 'plain', facts }];
  }
  if (reason === '' || quiet.has(reason) || reasonBefore === reason) return [];
  // The wait for the next try repeats why the last one failed.
  if (reason === 'ImagePullBackOff' && reasonBefore === 'ErrImagePull') return [];
  // A start that has failed has been told as the end that it was.
  if (reason === 'RunContainerError' && message === lastState.terminated?.message) return [];
  const facts = { reason, message: waiting?.message };
  const text = `${reason}${waiting?.message ? `: ${waiting.message}` : ''}`;
  return [{ container: name, what: 'waiting', text, tone: 'bad', facts }];
}

function tellPhase(before: V1Pod | undefined, { status }: V1Pod): readonly StoryLine[] {
  const { phase, reason, message } = status;
  if (before?.status.phase === phase) return [];
  const tones = { Succeeded: 'good', Failed: 'bad', Running: 'good', Pending: 'plain' } as const;
  const why = [reason, message].filter((text) => text !== undefined && text !== '').join(': ');
  return [
    {
      what: 'phase',
      text: why === '' ? phase : `${phase} (${why})`,
      tone: phase === 'Unknown' ? 'bad' : tones[phase],
      facts: { phase, reason, message },
    },
  ];
}

function accepted({ metadata: { namespace, name, uid } }: V1Pod): StoryLine {
  return {
    what: 'accepted',
    text: `${namespace}/${name}, uid ${uid}`,
    tone: 'plain',
    facts: { namespace, name, uid },
  };
}

/** A pod that has ended is only cleared away: no news. */
function tellDeleting(before: V1Pod | undefined, after: V1Pod): readonly StoryLine[] {
  const { deletionTimestamp, deletionGracePeriodSeconds: seconds } = after.metadata;
  const isOver = after.status.phase === 'Succeeded' || after.status.phase === 'Failed';
  const isNews = deletionTimestamp !== before?.metadata.deletionTimestamp;
  if (deletionTimestamp === undefined || isOver || !isNews) return [];
  return [
    {
      what: 'deleting',
      text: `is being deleted${seconds === undefined ? '' : `, within ${seconds}s`}`,
      tone: 'notice',
      facts: { graceSeconds: seconds },
    },
  ];
}
