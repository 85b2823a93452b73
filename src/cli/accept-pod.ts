/**
 * How `run` comes by its pod: a new one, or the one that an earlier run has left.
 */
import { AlreadyExistsError, RepriseError } from '../errors.ts';
import type { Client } from '../api/client.ts';
import { podKey } from '../pod/pod.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import type { HostedAgent } from './host-agent.ts';
import type { Interrupts } from './interrupt.ts';
import type { Manifest } from './manifest-file.ts';
import { noteLine } from './output.ts';
import { differences, objectDifferences } from './same-pod.ts';

export interface AcceptOptions {
  /** Delete a pod of that name first. */
  readonly replace: boolean;
  /** The agent that runs nothing but this pod: one that is there is left from an earlier run. */
  readonly hosted?: Pick<HostedAgent, 'ownObjects'>;
  readonly interrupts: Interrupts;
}

/**
 * Creates the pod; or takes up the one that an earlier `run` of the same manifest has left.
 * Undefined if the user wanted it no more before it could be created.
 */
export async function acceptPod(
  client: Client,
  manifest: Manifest,
  { replace, hosted, interrupts }: AcceptOptions,
  signal: AbortSignal,
): Promise<V1Pod | undefined> {
  const { namespace, name } = manifest.pod.metadata;
  try {
    return await client.createPod(namespace, manifest.textWithObjects, signal);
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) throw error;
    const there = await client.getPod(namespace, name, signal);
    const isEnding = there.metadata.deletionTimestamp !== undefined;
    // In an agent of many pods, whatever runs there is somebody else's.
    if (hosted !== undefined && !replace && !isEnding) {
      const differs = [
        ...differences(there, manifest.pod),
        ...objectDifferences(hosted.ownObjects(there), manifest.objects),
      ];
      if (differs.length === 0) {
        noteLine(`pod ${podKey(there)} is still there from an earlier run; going on with it`);
        return there;
      }
      throw new AlreadyExistsError(
        `pod ${podKey(there)} is left from an earlier run with a different manifest`,
        {
          where: [`pod ${podKey(there)}`, `uid ${there.metadata.uid}`, ...differs].join(', '),
          next: 'use --replace to delete it first, or run its own manifest again',
          cause: error,
        },
      );
    }
    if (!replace && (hosted === undefined || !isEnding)) throw error;
    noteLine(`pod ${podKey(there)} is deleted first; Ctrl-C kills it at once`);
    await deleteAndWait(client, there, interrupts, signal);
    if (interrupts.first() !== undefined) return undefined;
    return client.createPod(namespace, manifest.textWithObjects, signal);
  }
}

async function deleteAndWait(
  client: Client,
  { metadata }: V1Pod,
  interrupts: Interrupts,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name, uid } = metadata;
  const done = new AbortController();
  interrupts.onEach(() => {
    if (done.signal.aborted) return;
    client.deletePod(namespace, name, { force: true }, signal).catch((error: unknown) => {
      // Gone already, or the watch reports the broken connection.
      if (!signal.aborted && !(error instanceof RepriseError)) throw error;
    });
  });
  const watched = await client.watchPods(
    { namespace, name },
    AbortSignal.any([signal, done.signal]),
  );
  try {
    await client.deletePod(namespace, name, { force: false }, signal);
    for await (const { type, object } of watched) {
      if (type === 'DELETED' && object.metadata.uid === uid) return;
    }
  } finally {
    done.abort();
  }
}
