/**
 * Claims on disk: `<data-dir>/pods/<uid>/devices.json`, what a pod has been given and when it came. It is
 * flushed before anybody is told, so a pod has the same devices after a crash, and after a power cut.
 */
import fs from 'node:fs';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { RepriseError, messageOf } from '../../errors.ts';
import type { Assignments } from '../../devices/allocate.ts';

/** A claim as it is remembered. */
export interface SavedClaim {
  readonly arrival: number;
  /** Absent: it waits. */
  readonly given?: Assignments;
}

/** The name of the file in a pod's folder. */
export const claimFile = 'devices.json';

export class ClaimStore {
  readonly #folder: string;

  constructor(dataDir: string) {
    this.#folder = path.join(dataDir, 'pods');
  }

  /** Absent if there is none. Throws a RepriseError if there is one that cannot be read. */
  load(uid: string): SavedClaim | undefined {
    const file = this.#fileOf(uid);
    try {
      const claim = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<SavedClaim> | null;
      if (typeof claim?.arrival !== 'number') throw new Error('it holds no claim');
      return claim as SavedClaim;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new RepriseError(`which devices a pod has cannot be read: ${messageOf(error)}`, {
        where: file,
        next: 'nothing: it gets devices anew; if it has containers, restart it with "reprise restart pod"',
        cause: error,
      });
    }
  }

  save(uid: string, claim: SavedClaim): void {
    writeFileAtomic.sync(this.#fileOf(uid), JSON.stringify(claim), { mode: 0o600 });
  }

  remove(uid: string): void {
    fs.rmSync(this.#fileOf(uid), { force: true });
  }

  #fileOf(uid: string): string {
    return path.join(this.#folder, uid, claimFile);
  }
}
