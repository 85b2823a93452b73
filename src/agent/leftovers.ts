/**
 * What is left of pods that nobody remembers: of a removal that was cut short, and of pods that were
 * given up by removing their pod.json. Each is removed by itself, beside everything else that the agent
 * does, as often as it takes: nothing of it keeps the agent from starting, or a pod from going on.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import { takeBackUnknown } from '../host/lend.ts';
import type { Logger } from '../log.ts';
import { listPodUids } from '../runtime/observe.ts';
import { removePod } from '../runtime/remove-pod.ts';
import type { Means } from './means.ts';

export interface LeftoverParts {
  readonly means: Pick<Means, 'cri' | 'node' | 'lending' | 'store'>;
  /** The uids of folders in which there is no pod. */
  readonly folders: readonly string[];
  /** Whether there is a pod with this uid, whoever runs it. */
  readonly isKnown: (uid: string) => boolean;
  /** Keeps new pods from being given a uid until it is disposed of. */
  readonly reserve: (uid: string) => Disposable;
  readonly log: Logger;
  /** How long to wait before the second try, in milliseconds; absent: a second. */
  readonly firstWaitMs?: number;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 5 * 60_000;

/** Resolves when all of it is gone, or with the signal. */
export async function removeLeftovers(parts: LeftoverParts, signal: AbortSignal): Promise<void> {
  const { folders } = parts;
  await Promise.all([
    ...folders.map((uid) => removeLeftover(parts, uid, signal)),
    removeFromRuntime(parts, signal),
  ]);
}

/** Those of which containerd has something; the agent may have lost their folders. */
async function removeFromRuntime(parts: LeftoverParts, signal: AbortSignal): Promise<void> {
  const { means, folders, isKnown } = parts;
  const { cri, node } = means;
  let uids: readonly string[] = [];
  const words = 'look for pods that nobody remembers';
  await untilDone(parts, { words }, signal, async () => {
    uids = await listPodUids(cri, node.agentId, signal);
  });
  const unknown = uids.filter((uid) => !isKnown(uid) && !folders.includes(uid));
  await Promise.all(unknown.map((uid) => removeLeftover(parts, uid, signal)));
}

async function removeLeftover(
  parts: LeftoverParts,
  uid: string,
  signal: AbortSignal,
): Promise<void> {
  const { means, reserve, log } = parts;
  using stack = new DisposableStack();
  stack.use(reserve(uid));
  log.warn({ uid }, 'removing what is left of a pod that nobody remembers');
  const words = 'remove what is left of a pod that nobody remembers';
  await untilDone(parts, { words, uid }, signal, async () => {
    await removePod(means.cri, { uid, agentId: means.node.agentId }, signal);
    await takeBackUnknown(uid, means.lending);
    means.store.forget(uid);
  });
}

/** Tries until it works or the signal comes; the same trouble is told once. */
async function untilDone(
  { log, firstWaitMs = FIRST_WAIT_MS }: LeftoverParts,
  { words, uid }: { readonly words: string; readonly uid?: string },
  signal: AbortSignal,
  once: () => Promise<void>,
): Promise<void> {
  let told: string | undefined;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      await once();
      return;
    } catch (error) {
      if (signal.aborted) return;
      const message = messageOf(error);
      if (message !== told) log.warn({ err: error, uid }, `could not ${words}; trying again`);
      told = message;
    }
    await delay(waitMs, undefined, { signal }).catch(() => undefined);
  }
}
