/**
 * Our way: pods run by an agent in this process, which restarts them by itself as it does everywhere.
 *
 * How it went is read from the agent's own records, the ones that survive it: status.json of the
 * pod. Read next: marks.ts, what is taken from them.
 */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readMemory } from '../agent/memory-file.ts';
import type { Backend } from '../api/backend.ts';
import { RepriseError } from '../errors.ts';
import type { Memory } from '../pod/memory.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import type { Cri } from '../runtime/cri.ts';
import { ofPod } from '../runtime/labels.ts';
import type { Contender, PodRecord } from './contender.ts';
import { marksOf } from './marks.ts';
import { ownShareOf } from './own-share.ts';

/** What the contender reaches its pods with. */
export interface InPlaceMeans {
  readonly backend: Backend;
  readonly cri: Cri;
  readonly dataDir: string;
  /** Whether the agent creates the next generation's containers ahead. */
  readonly standbys: boolean;
}

/** How long the agent may take to tidy up after a restart. */
const TIDY_WITHIN_MS = 60_000;

/** In-place restarts of these pods of the agent. */
export function inPlaceContender(
  means: InPlaceMeans,
  pods: Contender['pods'],
  v1Pods: readonly V1Pod[],
): Contender {
  return {
    method: 'in-place',
    pods,
    settle: async (signal) => {
      for (const pod of v1Pods) await untilTidy(means, pod, signal);
    },
    restart: (signal) => Promise.all(v1Pods.map((pod) => restarted(means, pod, signal))),
  };
}

/** Resolves with the record of the restart that comes next. */
async function restarted(
  { backend, dataDir }: InPlaceMeans,
  { metadata: { namespace, name, uid } }: V1Pod,
  signal: AbortSignal,
): Promise<PodRecord> {
  const enough = new AbortController();
  const until = AbortSignal.any([signal, enough.signal]);
  // Registered before anything can happen.
  const events = backend.watchEvents({ namespace, name, initial: false }, until);
  try {
    for await (const { object } of events) {
      if (object.reason !== 'RestartedAllContainers') continue;
      const memory = memoryOf(dataDir, uid);
      const record = memory.restarts.at(-1);
      return { marks: marksOf(memory), own: record && ownShareOf(record) };
    }
  } finally {
    enough.abort();
  }
  signal.throwIfAborted();
  throw new RepriseError('the agent has ended in the middle of a restart', { where: name });
}

function memoryOf(dataDir: string, uid: string): Memory {
  const folder = path.join(dataDir, 'pods', uid);
  const memory = readMemory(folder);
  if (memory === undefined) throw new RepriseError('the pod has no memory', { where: folder });
  return memory;
}

/**
 * Removing the old containers and creating the next standbys comes after a restart: whoever is
 * measured next must not pay for it.
 */
async function untilTidy(
  { cri, standbys }: InPlaceMeans,
  { metadata: { uid, name }, spec }: V1Pod,
  signal: AbortSignal,
): Promise<void> {
  const inPod = spec.containers.length + (spec.initContainers ?? []).length;
  const deadline = performance.now() + TIDY_WITHIN_MS;
  while (performance.now() < deadline) {
    const listed = await cri.listContainers({ labelSelector: ofPod(uid) }, signal);
    if (isTidy(listed, inPod, { standbys })) return;
    await delay(20, undefined, { signal });
  }
  throw new RepriseError(`the agent has not tidied up within ${TIDY_WITHIN_MS / 1000} s`, {
    where: `pod ${name}`,
    next: 'set REPRISE_LOG_LEVEL=info to see what the agent does; look at the log of containerd',
  });
}

/**
 * Whether the containers of a pod are those of its run and the standbys, and no others: those of the run before
 * are as many as the standbys that are created when they are removed.
 */
export function isTidy(
  listed: readonly { readonly state: string }[],
  inPod: number,
  { standbys }: { readonly standbys: boolean },
): boolean {
  const ahead = listed.filter(({ state }) => state === 'CONTAINER_CREATED').length;
  return listed.length === inPod + ahead && ahead === (standbys ? inPod : 0);
}
