/** Which log files of a container there are, and when that of its current run has got its last line. */
import path from 'node:path';
import type { LogSource } from '../api/backend.ts';
import { logFiles } from '../host/logs.ts';
import { own } from '../pod/own.ts';
import { findContainer } from '../pod/pod.ts';
import type { Means } from './means.ts';
import { untilLogIsWhole, untilLogIsWritten } from './log-end.ts';
import type { Picture, Worker } from './worker.ts';

/** A pod that tells its news. */
export interface Subject {
  readonly worker: Pick<Worker, 'pod' | 'picture'>;
  /** Called after everything new about the pod; with nothing when it is gone. */
  readonly onNews: Set<(picture: Picture | undefined) => void>;
}

/** How long the answer waits for the last words of a container that has ended. */
const WHOLE_WITHIN_MS = 2_000;

/** Undefined if the pod has no container of that name. */
export async function findLogSource(
  means: Pick<Means, 'cri' | 'lending' | 'cleanup'>,
  subject: Subject,
  container: string,
): Promise<LogSource | undefined> {
  const { pod, picture } = subject.worker;
  if (findContainer(pod, container) === undefined) return undefined;
  const { namespace, name, uid } = pod.metadata;
  const directory = path.join(means.lending.podLogDir, `${namespace}_${name}_${uid}`);
  const attempts = (await logFiles(directory, container)).map(({ attempt }) => attempt);
  const known = own(picture.memory.containers, container);
  const current =
    known?.startedAt === undefined && known?.exit === undefined ? attempts[0] : known.attempt;
  // Whoever saw it end reads its last words, too.
  if (known?.exit !== undefined) await untilLogIsWhole(means, known, WHOLE_WITHIN_MS);
  return {
    directory,
    current,
    previous: attempts.find((attempt) => current !== undefined && attempt < current),
    finished: async (signal) => {
      await hasEnded(subject, container, current, signal);
      if (known?.attempt !== current || known?.containerId === undefined) return;
      // A runtime that cannot be asked does not keep a reader waiting.
      await untilLogIsWritten(means, known.containerId, signal).catch(() => undefined);
    },
  };
}

/**
 * Resolves when that instance has ended, or another one took its place, or the pod is gone; or with
 * the signal.
 */
function hasEnded(
  { worker, onNews }: Subject,
  name: string,
  attempt: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      onNews.delete(hear);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const hear = (picture: Picture | undefined) => {
      const known = own(picture?.memory.containers, name);
      const goesOn = known !== undefined && known.attempt === attempt && known.exit === undefined;
      if (!goesOn || signal.aborted) end();
    };
    onNews.add(hear);
    signal.addEventListener('abort', end);
    hear(worker.picture);
  });
}
