/** What all tests of a file share: started before the first one, taken away after the last. */
import test from 'ava';
import type { TestNode } from './node.ts';
import { startNode } from './node.ts';

/** Answers with the thing once it is there; things are started in the order in which they are shared. */
export function shared<T extends AsyncDisposable>(what: string, start: () => Promise<T>): () => T {
  let thing: T | undefined;
  test.serial.before(`${what} starts`, async () => {
    thing = await start();
  });
  test.after.always(`nothing is left of ${what}`, async () => {
    await thing?.[Symbol.asyncDispose]();
  });
  return () => {
    if (thing === undefined) throw new Error(`${what} has not started`);
    return thing;
  };
}

/** A node; what is to be done before the first test is done as soon as there is one. */
export function sharedNode(
  begin: (node: TestNode) => Promise<unknown> = (node) => node.agent(),
  options: Parameters<typeof startNode>[0] = {},
): () => TestNode {
  return shared('the node', async () => {
    const node = await startNode(options);
    try {
      await begin(node);
      return node;
    } catch (error) {
      await node[Symbol.asyncDispose]();
      throw error;
    }
  });
}
