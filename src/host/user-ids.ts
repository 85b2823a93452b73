/**
 * The users of the node that a pod with `hostUsers: false` has to itself: 65536 of them, above those
 * that the node uses. Written down in the pod's folder, so that they stay the pod's for life.
 */
import fs from 'node:fs';
import path from 'node:path';
import { RepriseError } from '../errors.ts';
import type { IdRange } from '../pod/loan.ts';
import { isErrno } from './errno.ts';

/** Every id that an image can be expected to have. */
const count = 65_536;
/** The last range ends where ids have 32 bits; the first is the node's own. */
const lastRange = 2 ** 32 / count - 2;

/** The range of a pod: the one it had, or one that no other pod in the data directory has. */
export function lendUserIds(podsDirectory: string, uid: string): IdRange {
  const file = fileOf(podsDirectory, uid);
  const known = readRange(file);
  if (known !== undefined) return { first: known * count, count };
  // Nothing waits between reading what is taken and writing this, so no other pod comes in between.
  const taken = new Set(
    fs.readdirSync(podsDirectory).map((other) => readRange(fileOf(podsDirectory, other))),
  );
  for (let range = 1; range <= lastRange; range += 1) {
    if (taken.has(range)) continue;
    fs.writeFileSync(`${file}.new`, `${range * count}\n`, { mode: 0o600 });
    fs.renameSync(`${file}.new`, file);
    return { first: range * count, count };
  }
  throw new RepriseError('no user ids are left for another pod with hostUsers: false', {
    where: podsDirectory,
    next: 'delete pods that are not needed any more',
  });
}

/** Gives the range back. */
export function returnUserIds(podsDirectory: string, uid: string): void {
  fs.rmSync(fileOf(podsDirectory, uid), { force: true });
}

function fileOf(podsDirectory: string, uid: string): string {
  return path.join(podsDirectory, uid, 'user-ids');
}

function readRange(file: string): number | undefined {
  try {
    const first = Number(fs.readFileSync(file, 'utf8'));
    return Number.isInteger(first / count) && first > 0 ? first / count : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
