/**
 * Pods and their memories on disk: `<data-dir>/pods/<uid>/pod.json` and `status.json`.
 *
 * A pod is flushed to the disk before it is accepted. Its memory is saved on the path of every
 * restart: memory-file.ts.
 */
import fs from 'node:fs';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { ConflictError, RepriseError, messageOf } from '../errors.ts';
import { isErrno } from '../host/errno.ts';
import { assertPlainName } from '../host/plain-name.ts';
import type { Memory } from '../pod/memory.ts';
import { blankMemory } from '../pod/memory.ts';
import type { V1Object } from '../pod/objects.ts';
import { podKey } from '../pod/pod.ts';
import type { Pod } from '../pod/pod.ts';
import { claimFile } from './devices/claims.ts';
import {
  LateFlush,
  memoryFile,
  memoryFiles,
  readIfThere,
  readMemory,
  writeMemory,
} from './memory-file.ts';
import { keepOwnObjects, ownObjectsFile, readOwnObjects } from './object-store.ts';

/** A pod as it was found on disk. */
export interface StoredPod {
  readonly pod: Pod;
  readonly memory: Memory;
  /** Its own ones. */
  readonly objects: readonly V1Object[];
  /** What could not be read of it although there was a file; absent if all is well. */
  readonly trouble?: RepriseError;
}

/** All that was found on disk. */
export interface StoredPods {
  readonly pods: readonly StoredPod[];
  /** What is wrong with pods that could not be read at all. */
  readonly faults: readonly RepriseError[];
  /** The uids of those. */
  readonly unreadable: readonly string[];
  /** The uids of folders that hold no pod, but may hold what one was lent. */
  readonly leftOver: readonly string[];
}

/** The files hold the manifest of a pod, which may hold secrets. */
const PRIVATE = 0o600;

const podFile = 'pod.json';
/** All that is remembered of a pod. */
const ownFiles: readonly string[] = [podFile, ...memoryFiles, ownObjectsFile, claimFile];

export class PodStore {
  readonly #folder: string;
  readonly #flush: LateFlush;

  /** `report` is told when the disk does not take what was saved. */
  constructor(dataDir: string, report: (error: unknown) => void) {
    this.#flush = new LateFlush(report);
    this.#folder = path.join(dataDir, 'pods');
    fs.mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  /** Every pod that was accepted and not forgotten. */
  load(): StoredPods {
    const pods: StoredPod[] = [];
    const faults: RepriseError[] = [];
    const unreadable: string[] = [];
    const leftOver: string[] = [];
    for (const uid of fs.readdirSync(this.#folder).toSorted()) {
      try {
        const stored = this.#loadOne(uid);
        if (stored !== undefined) pods.push(stored);
        else if (isLeftOver(this.#folderOf(uid))) leftOver.push(uid);
      } catch (error) {
        faults.push(unreadablePod(path.join(this.#folder, uid, podFile), error));
        unreadable.push(uid);
      }
    }
    return { pods, faults, unreadable, leftOver };
  }

  /**
   * Puts a new pod and its own objects on disk; when this returns it survives a power cut. Nothing of it
   * is left when this throws.
   */
  accept(pod: Pod, objects: readonly V1Object[] = []): void {
    assertPlainName(pod.metadata.uid, `${podKey(pod)}, metadata.uid`);
    const { uid } = pod.metadata;
    const folder = this.#folderOf(uid);
    const file = path.join(folder, podFile);
    if (fs.existsSync(file)) {
      throw new ConflictError(
        `what is kept under the uid ${uid} is another pod, or cannot be read`,
        {
          where: file,
          next: 'leave out metadata.uid; or remove the file, and start the agent anew',
        },
      );
    }
    try {
      fs.mkdirSync(folder, { recursive: true, mode: 0o750 });
      keepOwnObjects(folder, objects);
      this.replace(pod);
    } catch (error) {
      this.forget(uid);
      throw error;
    }
  }

  /** Replaces what is kept of a pod; when this returns it survives a power cut. */
  replace(pod: Pod): void {
    const file = path.join(this.#folderOf(pod.metadata.uid), podFile);
    writeFileAtomic.sync(file, JSON.stringify(pod), { mode: PRIVATE });
  }

  /** Replaces the memory of a pod, given as JSON; when this returns it survives the agent. */
  save(pod: Pod, memory: string): void {
    const folder = this.#folderOf(pod.metadata.uid);
    writeMemory(folder, memory);
    this.#flush.soon(folder);
  }

  /** Removes the last trace of a pod; what was lent to it has been taken back before. */
  forget(uid: string): void {
    const folder = this.#folderOf(uid);
    // In this order: without pod.json there is no pod to find at the next start.
    for (const file of ownFiles) fs.rmSync(path.join(folder, file), { force: true });
    for (const file of halfWrittenIn(folder)) fs.rmSync(path.join(folder, file), { force: true });
    try {
      fs.rmdirSync(folder);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return;
      if (!isErrno(error, 'ENOTEMPTY')) throw error;
      throw new RepriseError("there is something in the folder of the pod that is not the pod's", {
        where: folder,
        next: 'move it elsewhere, or remove it',
        cause: error,
      });
    }
  }

  #loadOne(uid: string): StoredPod | undefined {
    const folder = this.#folderOf(uid);
    const text = readIfThere(path.join(folder, podFile));
    if (text === undefined) return undefined;
    const pod = readPod(uid, text);
    const own = ownObjectsIn(folder);
    try {
      return { pod, memory: readMemory(folder) ?? blankMemory, ...own };
    } catch (error) {
      const trouble = unreadablePod(path.join(folder, memoryFile), error);
      return { pod, memory: blankMemory, ...own, trouble };
    }
  }

  #folderOf(uid: string): string {
    return path.join(this.#folder, uid);
  }
}

/** What an agent that was killed has left of files that it was about to replace, of the loan's as well. */
function halfWrittenIn(folder: string): readonly string[] {
  const replaced = [...ownFiles, 'etc-hosts', 'user-ids'];
  return (fs.existsSync(folder) ? fs.readdirSync(folder) : []).filter((name) => {
    const [, file = ''] = /^(.+)\.(?:\d+|new)$/.exec(name) ?? [];
    return replaced.includes(file);
  });
}

/** What else has come there, such as lost+found, was never a pod's. */
function isLeftOver(folder: string): boolean {
  const isNamedAsPod = /^[A-Za-z0-9][\w.-]*$/.test(path.basename(folder));
  return isNamedAsPod && fs.lstatSync(folder).isDirectory();
}

/** A pod whose objects cannot be read goes on, and waits for them where it needs them. */
function ownObjectsIn(folder: string): Pick<StoredPod, 'objects' | 'trouble'> {
  try {
    return { objects: readOwnObjects(folder) };
  } catch (error) {
    if (!(error instanceof RepriseError)) throw error;
    return { objects: [], trouble: error };
  }
}

/** Looks no closer than everybody relies on: what only its own worker needs is its worker's trouble. */
function readPod(uid: string, text: string): Pod {
  const container = z.looseObject({
    name: z.string(),
    image: z.string(),
    ports: z.array(z.looseObject({})),
    resources: z.looseObject({ requests: quantities, limits: quantities }),
  });
  const shape = z.looseObject({
    metadata: z.looseObject({ uid: z.literal(uid), namespace: z.string(), name: z.string() }),
    spec: z.looseObject({
      initContainers: z.array(container),
      containers: z.array(container),
    }),
  });
  const value: unknown = JSON.parse(text);
  const { error } = shape.safeParse(value);
  if (error === undefined) return value as Pod;
  const [{ path: field, message } = { path: [], message: '' }] = error.issues;
  throw new Error(`it holds no pod: ${['pod', ...field].join('.')}: ${message}`);
}

const quantities = z.record(z.string(), z.string());

function unreadablePod(file: string, cause: unknown): RepriseError {
  return new RepriseError(`a saved pod cannot be read: ${messageOf(cause)}`, {
    where: file,
    next: 'it is left as it is, and so are its containers; remove the file if the pod is not needed any more',
    cause,
  });
}
