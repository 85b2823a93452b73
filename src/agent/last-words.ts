/**
 * Adds to an exit what the container had to say: its termination message, or the end of its log.
 *
 * A message is read together with the exit. The end of a log is not, as the runtime is still
 * writing it when the exit event comes: it follows, and nothing waits for it.
 */
import { endOfLog, messageFile, readMessage, shortened } from '../host/last-words.ts';
import { placesOf } from '../host/lend.ts';
import { LogError, logFile } from '../host/logs.ts';
import type { Exit, Instance } from '../pod/observed.ts';
import type { Pod } from '../pod/pod.ts';
import { everyContainerOf, findContainer } from '../pod/pod.ts';
import type { Means } from './means.ts';
import { untilLogIsWritten } from './log-end.ts';
import type { FullLook } from './view.ts';
import type { Worker } from './worker.ts';

/** All messages of a pod together have this much room (kubelet_pods.go). */
const ROOM_BYTES = 12 * 1024;

const SIGKILLED = 137;

/** Where what it had to say is found. */
export type Sources = Pick<Means, 'cri' | 'lending' | 'cleanup'>;

type Ended = Pick<Instance, 'id' | 'name' | 'attempt'>;

/**
 * Hands an exit to the pod's worker before it returns, and what else the container had to say
 * before its promise resolves.
 */
export async function tellExit(
  means: Sources,
  worker: Worker,
  id: string,
  exit: Exit,
  signal: AbortSignal,
): Promise<void> {
  const { pod, picture } = worker;
  const ended = picture.observed.instances.find((one) => one.id === id);
  // Whom we killed for a restart has nothing to say: its status tells why it ended.
  const isOld = ended !== undefined && ended.generation < picture.memory.generation;
  if (ended === undefined || (isOld && exit.code === SIGKILLED)) {
    worker.sawExit(id, exit);
    return;
  }
  const told = withMessage(means, pod, ended, exit);
  worker.sawExit(id, told);
  if (!needsLog(pod, ended, told)) return;
  const { message } = await withEndOfLog(means, pod, ended, told, signal);
  if (message !== undefined) worker.sawLastWords(id, message);
}

/** A look with the messages of all that have ended: their events may have come to nobody. */
export async function withLastWords(
  means: Sources,
  pod: Pod,
  look: FullLook,
  signal: AbortSignal,
): Promise<FullLook> {
  const instances = look.instances.map(async (one) => {
    if (one.exit === undefined) return one;
    const exit = withMessage(means, pod, one, one.exit);
    if (!needsLog(pod, one, exit)) return { ...one, exit };
    return { ...one, exit: await withEndOfLog(means, pod, one, exit, signal) };
  });
  return { ...look, instances: await Promise.all(instances) };
}

/** The exit with the message that the container left in its file, if it left one. */
function withMessage({ lending }: Sources, pod: Pod, ended: Ended, exit: Exit): Exit {
  const { messages } = placesOf(pod, lending);
  return joined(pod, exit, readMessage(messageFile(messages, ended.name, ended.attempt)));
}

/** Whether the end of the log is to be taken for the message that is missing. */
function needsLog(pod: Pod, { name }: Ended, exit: Exit): boolean {
  const policy = findContainer(pod, name)?.terminationMessagePolicy;
  return policy === 'FallbackToLogsOnError' && exit.code !== 0 && exit.message === undefined;
}

/** The exit with the end of the log, once the runtime has written it; as it is if there is none. */
async function withEndOfLog(
  means: Sources,
  pod: Pod,
  ended: Ended,
  exit: Exit,
  signal: AbortSignal,
): Promise<Exit> {
  if (ended.id !== undefined) await untilLogIsWritten(means, ended.id, signal);
  const { logs } = placesOf(pod, means.lending);
  try {
    return joined(pod, exit, await endOfLog(logFile(logs, ended.name, ended.attempt), signal));
  } catch (error) {
    // It never ran far enough to have one.
    if (error instanceof LogError) return exit;
    throw error;
  }
}

/** What the runtime has to say comes first, as the kubelet joins the two. */
function joined(pod: Pod, exit: Exit, text: string): Exit {
  if (text === '') return exit;
  const message = exit.message === undefined ? text : `${exit.message}: ${text}`;
  const room = Math.floor(ROOM_BYTES / everyContainerOf(pod).length);
  return { ...exit, message: shortened(message, room) };
}
