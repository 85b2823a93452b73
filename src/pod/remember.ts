/**
 * Folds what was seen into the memory: which instances ran, how they ended, what was asked for.
 *
 * An exit is remembered once and never overwritten: the container may be removed from the runtime,
 * or the runtime may lose the code, and the pod's status still tells the truth.
 */
import { endOfAborted } from './aborted.ts';
import type { Look } from './decision.ts';
import { currentInstance, currentSandbox, isAlive } from './instances.ts';
import { waitsForDevices } from './keep-devices.ts';
import type { ContainerMemory, Ending, Memory, Termination } from './memory.ts';
import type { Exit, Instance, Observed, Request } from './observed.ts';
import { settledOrigin } from './origin.ts';
import { own } from './own.ts';
import { isTerminal } from './phase.ts';
import { everyContainerOf } from './pod.ts';
import type { Pod } from './pod.ts';
import { withGates } from './readiness-gates.ts';
import { ENDED_UNSEEN, OOM_KILLED } from './restart-rules.ts';

/** The message that goes with the reason RestartingAllContainers, in `waiting` and `lastState`. */
export const RESTARTING_ALL_MESSAGE =
  'The container was killed because all containers of the pod are restarted in place';

const SIGKILLED = 137;

export function rememberWhatWasSeen(look: Look, memory: Memory): Memory {
  const { pod, observed, now } = look;
  const containers = { ...memory.containers };
  for (const { container } of everyContainerOf(pod)) {
    const known = own(containers, container.name);
    if (known === undefined) continue;
    const instance = currentInstance(observed, memory, container.name);
    const seen = rememberContainer(look, memory, known, instance);
    containers[container.name] = rememberLateNews(observed, rememberLateExit(observed, seen));
  }
  const podIPs = currentSandbox(observed, memory)?.ips ?? [];
  const seen: Memory = {
    ...memory,
    containers,
    // As under the kubelet, which does not see a pod before there is a node for it.
    startTime: memory.startTime ?? (waitsForDevices(look) ? undefined : now),
    podIPs: podIPs.length > 0 ? podIPs : memory.podIPs,
  };
  return observed.requests.reduce(
    (known, request) => rememberRequest(pod, known, request, now),
    seen,
  );
}

/** What was asked for; that is known even if nothing is known of the pod's containers. */
export function rememberRequest(pod: Pod, memory: Memory, request: Request, now: number): Memory {
  switch (request.kind) {
    case 'gates':
      return withGates(memory, request.changes, request.at);
    case 'delete':
      return { ...memory, ending: deleted(pod, memory, request, now) };
    case 'restart':
      // It becomes a trigger, or is not needed any more: restart-all.ts.
      return memory;
    default:
      return request satisfies never;
  }
}

function rememberContainer(
  look: Look,
  memory: Memory,
  known: ContainerMemory,
  instance: Instance | undefined,
): ContainerMemory {
  if (known.exit !== undefined || known.isOver === true) return known;
  if (instance === undefined) {
    // It ran, and somebody removed it behind our back.
    const vanished = { exitCode: SIGKILLED, finishedAt: look.now, ...lost(memory, known) };
    return known.startedAt === undefined ? known : { ...known, exit: vanished };
  }
  const seen = {
    ...known,
    containerId: instance.id ?? known.containerId,
    ...settledOrigin(known, instance),
    postStart: known.postStart ?? instance.hooks?.postStart?.outcome,
    isSignalled: known.isSignalled ?? instance.isSignalled,
    // What has been told stays: CRI has another time, a little later, than the event of the start.
    startedAt: known.startedAt ?? instance.startedAt ?? (isAlive(instance) ? look.now : undefined),
  };
  if (instance.state === 'starting') return { ...seen, startedAt: known.startedAt };
  const exit = instance.exit ?? endOfAborted(look.observed, known, instance);
  return exit === undefined ? seen : { ...seen, exit: termination(memory, seen, exit) };
}

/** An in-place restart waits for the end of a process, not for the news about it. */
function rememberLateExit({ instances }: Observed, known: ContainerMemory): ContainerMemory {
  const { lastExit } = known;
  if (lastExit === undefined || lastExit.finishedAt !== undefined) return known;
  const exit = instances.find(({ id }) => id !== undefined && id === lastExit.containerId)?.exit;
  if (exit === undefined) return known;
  const { code: exitCode, finishedAt, reason, message } = exit;
  const story = exitCode === SIGKILLED ? {} : { exitCode, reason, message };
  return { ...known, lastExit: { ...lastExit, ...story, finishedAt } };
}

/**
 * What is told about an exit after it has been remembered, and acted on: the end of a log, and that
 * the kernel had killed something of it for want of memory.
 */
function rememberLateNews({ instances }: Observed, known: ContainerMemory): ContainerMemory {
  const exit = withNews(known.exit);
  const lastExit = withNews(known.lastExit);
  return exit === known.exit && lastExit === known.lastExit ? known : { ...known, exit, lastExit };

  function withNews(end: Termination | undefined): Termination | undefined {
    if (end?.containerId === undefined) return end;
    const told = instances.find(({ id }) => id === end.containerId)?.exit;
    if (told === undefined) return end;
    const message = end.message ?? told.message;
    // Not of one that has ended with 0: it was taken for a success, and what follows it has begun.
    const isCorrected = told.reason === OOM_KILLED && end.reason === 'Error';
    const reason = isCorrected ? OOM_KILLED : end.reason;
    return message === end.message && reason === end.reason ? end : { ...end, message, reason };
  }
}

function termination(memory: Memory, known: ContainerMemory, exit: Exit): Termination {
  const common = {
    exitCode: exit.code,
    startedAt: known.startedAt,
    finishedAt: exit.finishedAt,
    containerId: known.containerId,
    ...(known.stop?.isReplaced === true && { isReplaced: true }),
    // While the pod goes on, nothing but the loss of the sandbox has that told.
    ...(known.isStopTold === true && memory.ending === undefined && { isStranded: true }),
  };
  // One that ended by itself, even after the trigger, keeps its own story.
  return wasKilledForRestart(memory, known) && isOfOurKill(memory, exit)
    ? { ...common, reason: 'RestartingAllContainers', message: RESTARTING_ALL_MESSAGE }
    : { ...common, reason: exit.reason, message: exit.message };
}

function lost(memory: Memory, known: ContainerMemory): Pick<Termination, 'reason' | 'message'> {
  return wasKilledForRestart(memory, known)
    ? { reason: 'RestartingAllContainers', message: RESTARTING_ALL_MESSAGE }
    : {
        reason: ENDED_UNSEEN,
        message: 'The container was removed by somebody else while it was running',
      };
}

/** Whether an exit may be what our SIGKILL has made: the kernel's own is told, and so is the trigger's time. */
function isOfOurKill({ restart }: Memory, { code, reason, finishedAt }: Exit): boolean {
  if (code !== SIGKILLED || reason === OOM_KILLED) return false;
  const { trigger } = restart ?? {};
  return trigger?.kind !== 'exit' || finishedAt >= trigger.exitedAt;
}

/** Its exit was not known when the generation changed, so it was ours to kill. */
function wasKilledForRestart(memory: Memory, known: ContainerMemory): boolean {
  return known.generation < memory.generation;
}

function deleted(
  pod: Pod,
  { ending, phase: { phase } }: Memory,
  request: Request & { kind: 'delete' },
  now: number,
): Ending {
  // Nothing of it is left to stop: it goes from the moment of the request on.
  if (ending !== undefined && isTerminal(phase)) {
    const { force, deletedAt = now } = ending;
    return { ...ending, at: deletedAt, graceSeconds: 0, force: force || request.force, deletedAt };
  }
  // The kubelet's arithmetic (pod_workers.go): at least 1 s, and it can only shrink.
  const asked = Math.max(1, request.graceSeconds ?? pod.spec.terminationGracePeriodSeconds);
  if (ending === undefined) {
    return { cause: 'deleted', at: now, graceSeconds: asked, force: request.force, deletedAt: now };
  }
  const left = ending.graceSeconds - (now - ending.at) / 1000;
  const force = ending.force || request.force;
  const deletedAt = ending.deletedAt ?? now;
  return asked < left
    ? { ...ending, at: now, graceSeconds: asked, force, deletedAt }
    : { ...ending, force, deletedAt };
}
