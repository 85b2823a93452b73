/**
 * What is told of a pod, from its first moment on. A list of events is no history: what happens again
 * moves to its end, and a pod that waits for something tries again and again.
 */
import { connectAgent } from '../src/api/client.ts';
import type { Place } from './node.ts';
import { patience } from './node.ts';

export interface EventHistory {
  /**
   * Everything up to that one, each thing once, in the order in which it happened first. What is told
   * of several containers is there for each.
   */
  readonly until: (last: string, times?: number) => Promise<readonly string[]>;
}

/** Begins to listen; meant to be called before the pod is applied. */
export async function listenTo(
  { socket }: Pick<Place, 'socket'>,
  name: string,
): Promise<EventHistory> {
  const events = await connectAgent(socket).watchEvents({ namespace: 'default', name }, patience());
  return {
    async until(last, times = 1) {
      const told: string[] = [];
      for await (const { type, object } of events) {
        // The others have happened before.
        if (type !== 'ADDED') continue;
        told.push(`${object.type} ${object.reason}: ${object.message}`);
        if (told.filter((one) => one === last).length === times) return told;
      }
      throw new Error(`waited in vain until "${last}" is told of ${name}:\n${told.join('\n')}`);
    },
  };
}
