/**
 * ConfigMaps, Secrets and PersistentVolumeClaims on disk, `<data-dir>/objects/<resource>/<namespace>/`,
 * and in memory. Files are for root alone, replaced by a rename and flushed before the answer.
 *
 * Objects that were handed over together with a pod are the pod's own: they lie in its folder, no
 * other pod sees them, and they go with it.
 */
import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { ObjectBackend } from '../api/backend.ts';
import { AlreadyExistsError, NotFoundError, RepriseError, messageOf } from '../errors.ts';
import { assertPlainName } from '../host/plain-name.ts';
import { objectInWords, objectResources } from '../pod/objects.ts';
import type { ManifestObject, ObjectKind, ObjectMeta, V1Object } from '../pod/objects.ts';

/** Secrets are for nobody else; what else is here deserves no less. */
const PRIVATE = 0o600;

/** Which object has changed, appeared or gone. */
export type ObjectNews = (kind: ObjectKind, namespace: string, name: string) => void;

export class ObjectStore implements ObjectBackend {
  readonly #folder: string | undefined;
  readonly #objects = new Map<string, V1Object>();
  readonly #hearers = new Set<ObjectNews>();
  // Above every version of an earlier life, unless it made one a millisecond for years.
  #version = Date.now();

  /** Without a directory everything is forgotten in the end. */
  constructor(dataDir?: string) {
    this.#folder = dataDir === undefined ? undefined : path.join(dataDir, 'objects');
  }

  /** Reads what was kept; what cannot be read is left where it is, and returned as a fault. */
  load(): readonly RepriseError[] {
    if (this.#folder === undefined || !fs.existsSync(this.#folder)) return [];
    const faults: RepriseError[] = [];
    for (const entry of fs.readdirSync(this.#folder, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name);
      if (!entry.isFile()) continue;
      try {
        // An agent was killed while it wrote: what may be a secret is not left to lie about.
        if (/\.json\.\d+$/.test(entry.name)) fs.rmSync(file, { force: true });
        if (!entry.name.endsWith('.json')) continue;
        const object = JSON.parse(fs.readFileSync(file, 'utf8')) as V1Object;
        this.#objects.set(keyOf(object.kind, object.metadata), object);
      } catch (error) {
        faults.push(unreadable(file, error));
      }
    }
    return faults;
  }

  /** Hears of every change after it was made. */
  onChange(hear: ObjectNews): void {
    this.#hearers.add(hear);
  }

  list(kind: ObjectKind, namespace?: string): readonly V1Object[] {
    return [...this.#objects.values()]
      .filter((one) => one.kind === kind)
      .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace)
      .toSorted((a, b) => (keyOf(kind, a.metadata) < keyOf(kind, b.metadata) ? -1 : 1));
  }

  get(kind: ObjectKind, namespace: string, name: string): V1Object | undefined {
    return this.#objects.get(keyOf(kind, { namespace, name }));
  }

  create(object: ManifestObject): V1Object {
    const { namespace, name } = object.metadata;
    if (this.get(object.kind, namespace, name) !== undefined) {
      throw new AlreadyExistsError(`${objectInWords(object.kind, name)} already exists`, {
        where: `namespace ${namespace}`,
        next: 'use "reprise apply" to change it, or choose another name',
      });
    }
    return this.#keep(complete(object, this.#nextVersion()));
  }

  replace(object: ManifestObject): V1Object {
    const { namespace, name } = object.metadata;
    const { uid, creationTimestamp } = this.#find(object.kind, namespace, name).metadata;
    const next = complete(object, this.#nextVersion());
    return this.#keep({ ...next, metadata: { ...next.metadata, uid, creationTimestamp } });
  }

  delete(kind: ObjectKind, namespace: string, name: string): V1Object {
    const object = this.#find(kind, namespace, name);
    const file = this.#fileOf(object);
    if (file !== undefined) fs.rmSync(file, { force: true });
    this.#objects.delete(keyOf(kind, object.metadata));
    this.#tell(object);
    return object;
  }

  #keep(object: V1Object): V1Object {
    const file = this.#fileOf(object);
    if (file !== undefined) write(file, object);
    this.#objects.set(keyOf(object.kind, object.metadata), object);
    this.#tell(object);
    return object;
  }

  #find(kind: ObjectKind, namespace: string, name: string): V1Object {
    const object = this.get(kind, namespace, name);
    if (object !== undefined) return object;
    throw new NotFoundError(`${objectInWords(kind, name)} not found`, {
      where: `namespace ${namespace}`,
      next: `list what there is: reprise get ${objectResources[kind]} -A`,
    });
  }

  #fileOf({ kind, metadata: { namespace, name } }: V1Object): string | undefined {
    if (this.#folder === undefined) return undefined;
    for (const part of [namespace, name]) assertPlainName(part, objectInWords(kind, name));
    return path.join(this.#folder, objectResources[kind], namespace, fileNameOf(name));
  }

  #tell({ kind, metadata }: V1Object): void {
    for (const hear of this.#hearers) hear(kind, metadata.namespace, metadata.name);
  }

  #nextVersion(): string {
    return String(++this.#version);
  }
}

/** An object with all that its keeper adds. */
export function complete(object: ManifestObject, resourceVersion: string): V1Object {
  const metadata: ObjectMeta = {
    ...object.metadata,
    uid: randomUUID(),
    resourceVersion,
    creationTimestamp: `${new Date().toISOString().slice(0, 19)}Z`,
  };
  return { ...object, metadata };
}

/** Puts the objects of one pod into its folder. */
export function keepOwnObjects(podFolder: string, objects: readonly V1Object[]): void {
  if (objects.length > 0) write(path.join(podFolder, ownObjectsFile), objects);
}

/** The objects that are a pod's own; throws a RepriseError when they cannot be read. */
export function readOwnObjects(podFolder: string): readonly V1Object[] {
  const file = path.join(podFolder, ownObjectsFile);
  if (!fs.existsSync(file)) return [];
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as readonly V1Object[];
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** The file in a pod's folder that its own objects are in. */
export const ownObjectsFile = 'objects.json';

function write(file: string, content: object): void {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileAtomic.sync(file, JSON.stringify(content), { mode: PRIVATE });
}

function keyOf(kind: ObjectKind, { namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>) {
  return `${kind}/${namespace}/${name}`;
}

/** Names have up to 253 characters, and so may a file's, with what a rename needs on top. */
function fileNameOf(name: string): string {
  const short = name.length <= 200 ? name : createHash('sha256').update(name).digest('hex');
  return `${short}.json`;
}

// Without the text in question: it may be a secret's.
function unreadable(where: string, cause: unknown): RepriseError {
  const what = cause instanceof SyntaxError ? 'an object was kept as no JSON' : messageOf(cause);
  return new RepriseError(`an object that was kept cannot be read: ${what}`, {
    where,
    next: 'hand it over again: reprise apply -f FILE',
  });
}
