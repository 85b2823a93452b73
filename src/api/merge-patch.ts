/**
 * Patches of an object: JSON merge patch (RFC 7386), and Kubernetes' strategic merge patch as far as the
 * objects here need it. Pure.
 *
 * The two differ in lists: the first replaces them, the second merges those whose items have a key.
 *
 * Source: apimachinery's strategicpatch, and the patchMergeKey tags of Pod.
 */
import { own } from '../pod/own.ts';
import { ApiError } from './api-status.ts';

type Json = Readonly<Record<string, unknown>>;

/** The object with what the patch says; null takes a field away. */
export function jsonMergePatch(object: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const base = isObject(object) ? object : {};
  return merged(base, patch, (_, before, after) => jsonMergePatch(before, after));
}

/** The same with lists merged, item by item, where Kubernetes does. */
export function strategicMergePatch(object: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const { $patch: directive, ...changes } = patch;
  if (directive === 'replace') return changes;
  if (directive !== undefined && directive !== 'merge') throw unknown('$patch', directive);
  const base = isObject(object) ? object : {};
  return merged(base, withoutOrders(changes), (name, before, after) => {
    const key = own(mergeKeys, name);
    return Array.isArray(after) && key !== undefined
      ? mergedList(Array.isArray(before) ? before : [], after, { name, key })
      : strategicMergePatch(before, after);
  });
}

/** Lists whose items are told apart by a field, wherever in a Pod they are. */
const mergeKeys: Readonly<Record<string, string>> = {
  conditions: 'type',
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  volumes: 'name',
  env: 'name',
  imagePullSecrets: 'name',
  ports: 'containerPort',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
  hostAliases: 'ip',
};

function merged(
  base: Json,
  patch: Json,
  merge: (name: string, before: unknown, after: unknown) => unknown,
): Json {
  const kept = Object.entries(base).filter(([name]) => !Object.hasOwn(patch, name));
  const changed = Object.entries(patch).flatMap(([name, after]) => {
    const before = own(base, name);
    return after === null ? [] : [[name, merge(name, before, after)] as const];
  });
  return Object.fromEntries([...kept, ...changed]);
}

interface KeyedList {
  readonly name: string;
  readonly key: string;
}

function mergedList(
  before: readonly unknown[],
  patches: readonly unknown[],
  { name, key }: KeyedList,
): readonly unknown[] {
  if (patches.some((patch) => isObject(patch) && patch['$patch'] === 'replace')) {
    return patches.filter((patch) => !isObject(patch) || patch['$patch'] !== 'replace');
  }
  return patches.reduce<readonly unknown[]>((list, patch) => {
    const id = isObject(patch) ? patch[key] : undefined;
    if (id === undefined) {
      const message = `an item of ${name} in the patch does not contain the merge key ${key}`;
      throw new ApiError('BadRequest', message);
    }
    const isIt = (item: unknown): boolean => isObject(item) && item[key] === id;
    if (isObject(patch) && patch['$patch'] === 'delete') return list.filter((item) => !isIt(item));
    if (!list.some(isIt)) return [...list, strategicMergePatch({}, patch)];
    return list.map((item) => (isIt(item) ? strategicMergePatch(item, patch) : item));
  }, before);
}

/** In which order lists are shown: theirs here is that in which items came. */
function withoutOrders(changes: Json): Json {
  const kept = Object.entries(changes).filter(([name]) => !name.startsWith('$setElementOrder/'));
  const odd = kept.find(([name]) => name.startsWith('$'));
  if (odd !== undefined) throw unknown(...odd);
  return Object.fromEntries(kept);
}

function unknown(directive: string, value: unknown): ApiError {
  const message = `the directive ${directive}: ${JSON.stringify(value)} of the patch is not supported`;
  return new ApiError('BadRequest', message);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
