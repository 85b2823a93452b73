/** Where environment variables come from, and what of a Pod can be referred to. */
import { z } from 'zod';
import { parseQuantity } from '../../pod/quantity.ts';
import { didYouMean } from '../did-you-mean.ts';
import { isDataKey } from '../rules/objects.ts';
import { honoured, must, required } from './field.ts';
import { dnsLabel, dnsSubdomain, hasParentStep, plainText, textOrNumber } from './scalar.ts';

const fieldPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
const fileFieldPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'metadata.labels',
  'metadata.annotations',
];

/** A reference to a field of the Pod; volumes can show others than variables. */
function fieldRefTo(paths: readonly string[]) {
  const isKnown = (path: string): boolean =>
    paths.includes(path) || /^metadata\.(?:labels|annotations)\['[^']+'\]$/.test(path);
  const rule = `must be one of ${paths.join(', ')}, metadata.labels['KEY'], metadata.annotations['KEY']`;
  return z.strictObject({
    apiVersion: honoured(
      z.enum(['v1']),
      'the version of the Pod that the path is read in; default v1',
    ),
    fieldPath: required(
      must(
        z.string(),
        isKnown,
        rule,
        (path) => didYouMean(path, paths) ?? `write it like "metadata.labels['app']"`,
      ),
      'the field of the Pod',
    ),
  });
}

export const fieldRef = fieldRefTo(fieldPaths);
export const fileFieldRef = fieldRefTo(fileFieldPaths);

const isResource = (resource: string): boolean =>
  /^(?:limits|requests)\.(?:cpu|memory|ephemeral-storage|hugepages-[0-9]+[KMGTPE]?i?)$/.test(
    resource,
  );

const usualResources = ['limits', 'requests'].flatMap((list) =>
  ['cpu', 'memory', 'ephemeral-storage', 'hugepages-2Mi'].map((name) => `${list}.${name}`),
);

const resourceName = () =>
  must(
    z.string(),
    isResource,
    'must be "limits." or "requests." and cpu, memory, ephemeral-storage or hugepages-SIZE',
    (resource) => didYouMean(resource, usualResources) ?? 'write it like "limits.memory"',
  );
const divisorRule = 'must be a quantity, such as 1m, 1 or 1Mi';
const divisorHint = 'write a number and, right after it, maybe a unit';
/** Which ones go with which resource is a rule of its own. */
const divisor = () =>
  honoured(
    must(
      textOrNumber(divisorRule, divisorHint),
      (value) => parseQuantity(String(value)) !== undefined,
      divisorRule,
      divisorHint,
    ),
    'what it is divided by, rounding up: 1m or 1 for cpu, else 1, 1k to 1E or 1Ki to 1Ei; default 1',
  );

export const resourceFieldRef = z.strictObject({
  containerName: honoured(dnsLabel(), 'default the container itself'),
  resource: required(resourceName(), 'an unset limit is what the node has, an unset request 0'),
  divisor: divisor(),
});
export const fileResourceFieldRef = z.strictObject({
  containerName: required(dnsLabel(), 'whose resources'),
  resource: required(resourceName(), 'an unset limit is what the node has, an unset request 0'),
  divisor: divisor(),
});

/** A key of a ConfigMap or a Secret. */
export const dataKey = (): z.ZodString =>
  must(
    z.string(),
    isDataKey,
    "must have at most 253 letters, digits, '-', '_' and '.', not be '.' and not begin with '..'",
    'write a key as it stands in the data of the object, such as "app.conf"',
  );

const mayBeMissing = (what: string) =>
  honoured(z.boolean(), `whether ${what} may be missing; default false: the container waits`);

function keyRefTo(kind: string) {
  return z.strictObject({
    name: required(dnsSubdomain(), `the ${kind}`),
    key: required(dataKey(), 'the key whose value the variable gets'),
    optional: mayBeMissing('object or key'),
  });
}

/** A name of a variable, or a part of one. */
const variableName = (hint: string): z.ZodString =>
  must(
    z.string(),
    (name) => /^(?:[ -<>-~])*$/.test(name),
    "must consist of printable ASCII characters other than '='",
    hint,
  );

const isBelowVolume = (path: string): boolean => !path.startsWith('/') && !hasParentStep(path);

/** What is in it is read when the container is made. */
const fileKeyRef = z.strictObject({
  volumeName: required(dnsLabel(), 'an emptyDir of the pod; it need not be mounted here'),
  path: required(
    must(
      plainText(),
      isBelowVolume,
      'must be a relative path without ".."',
      'name the file from the root of the volume, such as "settings/env"',
    ),
    "the file, with lines of KEY='value'",
  ),
  key: required(variableName('write what stands before the "=" in the file'), 'the key'),
  optional: mayBeMissing('file or key'),
});

const envSource = z.strictObject({
  fieldRef: honoured(fieldRef, 'the value of a field of the Pod'),
  resourceFieldRef: honoured(resourceFieldRef, 'what a container asks for or may use'),
  configMapKeyRef: honoured(keyRefTo('ConfigMap'), 'the value of a key of a ConfigMap'),
  secretKeyRef: honoured(keyRefTo('Secret'), 'the value of a key of a Secret'),
  fileKeyRef: honoured(fileKeyRef, 'the value of a key of a file that a container has written'),
});

export const envVar = z.strictObject({
  name: required(
    variableName('write the name alone, such as "LOG_LEVEL"; the value is a field of its own'),
    'the name of the variable',
  ),
  value: honoured(z.string(), 'its value; $(NAME) stands for a variable before it; default ""'),
  valueFrom: honoured(
    must(
      envSource,
      (source) => Object.keys(source).length > 0,
      'must have a source: fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef or fileKeyRef',
      'add one of them, or write "value" in place of valueFrom',
    ),
    'where its value comes from',
  ),
});

function allOf(kind: string) {
  return z.strictObject({
    name: required(dnsSubdomain(), `the ${kind}`),
    optional: mayBeMissing('the object'),
  });
}

export const envFrom = must(
  z.strictObject({
    prefix: honoured(
      variableName('write only how the names are to begin, such as "APP_"'),
      'comes before each name; default none',
    ),
    configMapRef: honoured(allOf('ConfigMap'), 'every key of its data'),
    secretRef: honoured(allOf('Secret'), 'every key of its data'),
  }),
  ({ configMapRef, secretRef }) => configMapRef !== undefined || secretRef !== undefined,
  'must have a source: configMapRef or secretRef',
  'add one, such as "configMapRef: {name: settings}"',
);
