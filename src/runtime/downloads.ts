/**
 * How far pulls are. CRI does not tell; containerd's content store does, but not for which image:
 * while several are pulled at once each of them shows the bytes of all.
 */
import { perform } from './call.ts';
import type { Containerd } from './connect.ts';

/** How much has arrived since a pull began. */
export interface Downloads {
  /** Bytes of all blobs, those that are complete included. */
  bytes(signal: AbortSignal): Promise<number>;
}

const ANSWER_WITHIN_MS = 5_000;

/** Begins to count: what is complete by now does not. */
export function countDownloads(containerd: Containerd): Downloads {
  /** By the name of the blob. It is not listed any more when it is complete. */
  const seen = new Map<string, { offset: number; total: number; isListed: boolean }>();
  return {
    async bytes(signal) {
      const patience = { deadlineMs: ANSWER_WITHIN_MS, signal };
      const { statuses } = await perform(containerd, containerd.content.ListStatuses, {}, patience);
      const listed = new Set(statuses.map(({ ref }) => ref));
      for (const [ref, blob] of seen) seen.set(ref, { ...blob, isListed: listed.has(ref) });
      for (const { ref, offset, total } of statuses) {
        seen.set(ref, { offset: Number(offset), total: Number(total), isListed: true });
      }
      return [...seen.values()].reduce(
        (sum, { offset, total, isListed }) => sum + (isListed ? offset : Math.max(offset, total)),
        0,
      );
    },
  };
}
