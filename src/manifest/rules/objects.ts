/**
 * What ConfigMaps and Secrets may hold. No message here quotes a value of a Secret.
 */
import { own } from '../../pod/own.ts';
import { invalidValue, requiredValue } from '../manifest-error.ts';
import type { Problem } from '../manifest-error.ts';
import type { Partly } from '../sound.ts';
import type { RawConfigMap, RawSecret } from '../schema/objects.ts';
import { isMap } from '../schema/walk.ts';

/** Kubernetes' limit for the data of one object. */
export const maxDataBytes = 1024 * 1024;

const keyRule =
  "a key has at most 253 letters, digits, '-', '_' and '.', is not '.' and does not begin with '..'";

/** Whether a text may be a key of a ConfigMap or a Secret. */
export function isDataKey(key: string): boolean {
  return /^[-._a-zA-Z0-9]{1,253}$/.test(key) && key !== '.' && !key.startsWith('..');
}

/** The bytes that base64 stands for, line breaks aside; undefined if it is none. */
export function bytesOf(base64: string): Buffer | undefined {
  const text = base64.replaceAll(/[\r\n]/g, '');
  const isBase64 = text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
  return isBase64 ? Buffer.from(text, 'base64') : undefined;
}

/** Keys are plain and there once, binaryData is base64, and it is not too much. */
export function* checkConfigMap(map: Partly<RawConfigMap>): Generator<Problem> {
  const { data = {}, binaryData = {} } = map;
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    yield* checkKey(['data', key], key);
    size += Buffer.byteLength(value ?? '');
  }
  for (const [key, value] of Object.entries(binaryData)) {
    const path = ['binaryData', key];
    yield* checkKey(path, key);
    if (Object.hasOwn(data, key)) {
      const hint = 'keep it in one of the two';
      yield { path, message: invalidValue(key, 'duplicate of key present in data'), hint };
    }
    const bytes = bytesOf(value ?? '');
    size += bytes?.length ?? 0;
    if (bytes !== undefined) continue;
    yield {
      path,
      message: 'Invalid value: must be base64',
      hint: 'write plain text under data instead; `base64 -w0 FILE` encodes a file',
    };
  }
  yield* checkSize('data', size);
}

/** Keys are plain, data is base64, stringData text, it is not too much, and what the type needs is there. */
export function* checkSecret(secret: Partly<RawSecret>): Generator<Problem> {
  const { data = {}, stringData = {} } = secret;
  const sizes = new Map<string, number>();
  for (const [key, value] of Object.entries(data)) {
    const path = ['data', key];
    yield* checkKey(path, key);
    const bytes = typeof value === 'string' ? bytesOf(value) : undefined;
    sizes.set(key, bytes?.length ?? 0);
    if (value === null || bytes !== undefined) continue;
    yield {
      path,
      message: 'Invalid value: must be base64',
      hint: 'write plain text under stringData instead',
    };
  }
  for (const [key, value] of Object.entries(stringData)) {
    const path = ['stringData', key];
    yield* checkKey(path, key);
    sizes.set(key, typeof value === 'string' ? Buffer.byteLength(value) : 0);
    if (value === null || typeof value === 'string') continue;
    yield {
      path,
      message: 'Invalid value: must be text',
      hint: 'put it in quotes; a text of several lines begins with "|"',
    };
  }
  yield* checkSize(
    'data',
    [...sizes.values()].reduce((sum, size) => sum + size, 0),
  );
  yield* checkType(secret.type, { ...data, ...stringData });
  yield* checkDockerConfig(secret);
}

/** The keys that each of Kubernetes' own types of Secret must have. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

function* checkType(type: string | undefined, data: object): Generator<Problem> {
  if (type === undefined) return;
  for (const key of own(requiredKeys, type) ?? []) {
    if (!Object.hasOwn(data, key)) {
      yield {
        path: ['data', key],
        near: ['type'],
        message: requiredValue(`${type} needs it`),
        hint: 'add the key, or leave the type out',
      };
    }
  }
  const isBasic = type === 'kubernetes.io/basic-auth';
  if (isBasic && !Object.hasOwn(data, 'username') && !Object.hasOwn(data, 'password')) {
    const message = requiredValue(`${type} needs it, or a password`);
    const hint = 'add one of the two, or leave the type out';
    yield { path: ['data', 'username'], near: ['type'], message, hint };
  }
}

/** What Docker's configuration is in has to be JSON; a value that is no base64 is told of elsewhere. */
function* checkDockerConfig({ type, data, stringData }: Partly<RawSecret>): Generator<Problem> {
  const key = own(requiredKeys, type ?? '')?.find((each) => each.startsWith('.docker'));
  if (key === undefined) return;
  const plain = stringData?.[key];
  const base64 = data?.[key];
  const bytes = typeof base64 === 'string' ? bytesOf(base64) : undefined;
  const text = typeof plain === 'string' ? plain : bytes?.toString();
  if (text === undefined || isJsonObject(text)) return;
  yield {
    path: [typeof plain === 'string' ? 'stringData' : 'data', key],
    message: 'Invalid value: must be a JSON object, as in ~/.docker/config.json',
    hint: 'have the Secret made by `kubectl create secret docker-registry NAME --dry-run=client -o yaml`',
  };
}

function isJsonObject(text: string): boolean {
  try {
    return isMap(JSON.parse(text));
  } catch {
    return false;
  }
}

function* checkKey(path: readonly string[], key: string): Generator<Problem> {
  if (isDataKey(key)) return;
  yield {
    path,
    message: invalidValue(key, keyRule),
    hint: 'give it a name such as "app.conf"; a volume can give it another path',
  };
}

function* checkSize(field: string, size: number): Generator<Problem> {
  if (size <= maxDataBytes) return;
  yield {
    path: [field],
    message: `Too long: may not be more than ${maxDataBytes} bytes`,
    hint: 'split it into several objects, or mount a folder of the node with hostPath',
  };
}
