/** Volumes that are filled with files: from ConfigMaps, from Secrets, and of the Pod itself. */
import { posix } from 'node:path';
import { z } from 'zod';
import { dataKey, fileFieldRef, fileResourceFieldRef } from './environment.ts';
import { honoured, must, refused, required } from './field.ts';
import { listOf } from './many.ts';
import { dnsSubdomain, hasParentStep, integer, plainText } from './scalar.ts';

const mode = () =>
  integer(
    0,
    0o777,
    'write it in octal, from 0000 to 0777; a JSON manifest has no octal: 420 is 0644',
  );
const defaultMode = () =>
  honoured(mode(), 'the mode of files that have none of their own; default 0644');
const ownMode = () => honoured(mode(), "the file's mode; default that of the volume");

/** A file in a volume: names that begin with ".." are the volume's own. */
const filePath = (): z.ZodString => {
  const rules: readonly (readonly [(path: string) => boolean, rule: string, hint: string])[] = [
    [
      (path) => !path.startsWith('/'),
      'must be a relative path',
      'remove the "/" before it: the path begins at the root of the volume',
    ],
    [
      (path) => !hasParentStep(path),
      'must not contain ".."',
      'name the file from the root of the volume; nothing above it can be',
    ],
    [
      (path) => !posix.normalize(path).startsWith('..'),
      'must not start with ".."',
      "choose another name: those that begin so are the volume's own",
    ],
    [
      (path) => posix.normalize(path) !== '.',
      'must name a file',
      'write the name of the file, such as "app.conf"',
    ],
    [(path) => !path.endsWith('/'), 'must not end with "/"', 'add the name of the file'],
    [
      (path) => path.split('/').every((name) => Buffer.byteLength(name) <= 255),
      'must have no name of more than 255 bytes in it',
      'choose shorter names',
    ],
    [
      (path) => Buffer.byteLength(path) < 4096,
      'must have fewer than 4096 bytes',
      'choose a shorter path',
    ],
  ];
  return rules.reduce((type, [holds, rule, hint]) => must(type, holds, rule, hint), plainText());
};

const keyToPath = z.strictObject({
  key: required(dataKey(), 'the key'),
  path: required(filePath(), 'the file that it becomes, maybe in folders'),
  mode: ownMode(),
});

const keys = {
  items: honoured(
    listOf(keyToPath),
    'the keys that become files; default all, each under its own name',
  ),
  optional: honoured(
    z.boolean(),
    'whether the object, or a key, may be missing; default false: the pod waits',
  ),
};

export const configMapVolume = z.strictObject({
  name: required(dnsSubdomain(), 'the ConfigMap'),
  ...keys,
  defaultMode: defaultMode(),
});

export const secretVolume = z.strictObject({
  secretName: required(dnsSubdomain(), 'the Secret'),
  ...keys,
  defaultMode: defaultMode(),
});

const downwardFile = must(
  must(
    z.strictObject({
      path: required(filePath(), 'the file, maybe in folders'),
      fieldRef: honoured(fileFieldRef, 'a field of the Pod'),
      resourceFieldRef: honoured(fileResourceFieldRef, 'what a container asks for or may use'),
      mode: ownMode(),
    }),
    ({ fieldRef, resourceFieldRef }) => fieldRef !== undefined || resourceFieldRef !== undefined,
    'must have a source: fieldRef or resourceFieldRef',
    'add one, such as "fieldRef: {fieldPath: metadata.labels}"',
  ),
  ({ fieldRef, resourceFieldRef }) => fieldRef === undefined || resourceFieldRef === undefined,
  'may not have more than one source: fieldRef or resourceFieldRef',
  'make it two entries, each with a path of its own',
);

export const downwardVolume = z.strictObject({
  items: honoured(listOf(downwardFile), 'the files'),
  defaultMode: defaultMode(),
});

const noApiServer = 'there is no API server to be known by';

const projectedSources = z.strictObject({
  configMap: honoured(
    z.strictObject({ name: required(dnsSubdomain(), 'the ConfigMap'), ...keys }),
    'keys of a ConfigMap',
  ),
  secret: honoured(
    z.strictObject({ name: required(dnsSubdomain(), 'the Secret'), ...keys }),
    'keys of a Secret',
  ),
  downwardAPI: honoured(
    z.strictObject({ items: honoured(listOf(downwardFile), 'the files') }),
    'what the Pod says of itself',
  ),
  serviceAccountToken: refused(noApiServer),
  clusterTrustBundle: refused(noApiServer),
  podCertificate: refused(noApiServer),
});

const projectedSource = must(
  must(
    projectedSources,
    (source) => Object.keys(source).length > 0,
    'must have a source: configMap, secret or downwardAPI',
    'add one of them, or remove the entry',
  ),
  (source) => Object.keys(source).length <= 1,
  'may not have more than one source',
  'make it two entries',
);

export const projectedVolume = z.strictObject({
  sources: honoured(listOf(projectedSource), 'what is in it; a later one wins over an earlier one'),
  defaultMode: defaultMode(),
});
