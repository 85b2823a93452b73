/** Removes a container that is over, and what belongs to it alone. */
import { messageFile, removeMessageFile } from '../host/last-words.ts';
import { placesOf } from '../host/lend.ts';
import { removeOldLogs } from '../host/log-rotation.ts';
import type { Action } from '../pod/action.ts';
import type { Means, Occasion } from './means.ts';
import { untilShown } from './shown-state.ts';

/**
 * How soon the runtime is asked whether it has seen the end, and how often then: it has much to clear away when
 * many pods have restarted together, and gives up what takes it 10 s.
 */
const delaysMs = [20, 30, 50, 100, 200, 400, 800, 1600, 3200, 6400];

/**
 * What still runs in the eyes of the runtime is killed by it before it is removed, which costs time, and fails
 * if it comes to see the end in that moment.
 */
const isOver = (state: string): boolean => state !== 'CONTAINER_RUNNING';

export async function removeContainer(
  { cri, cleanup, lending, devices }: Means,
  { id, name }: Action & { kind: 'remove-container' },
  { pod, picture, signal }: Occasion,
): Promise<void> {
  cleanup.letGo(id);
  await untilShown(cri, id, { isRight: isOver, delaysMs }, signal);
  await cri.removeContainer(id, signal);
  devices.madeWith.delete(id);
  const attempt = picture.observed.instances.find((one) => one.id === id)?.attempt;
  const { messages, logs } = placesOf(pod, lending);
  if (attempt !== undefined) await removeMessageFile(messageFile(messages, name, attempt));
  await removeOldLogs(logs, name);
}
