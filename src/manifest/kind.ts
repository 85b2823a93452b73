/** Whether a document is a Pod at all; if not, one clear word is better than fifty faults. */
import { objectKinds } from '../pod/objects.ts';
import { invalidValue, quoted, requiredValue, unsupportedValue } from './manifest-error.ts';
import type { Problem } from './manifest-error.ts';
import { isMap } from './schema/walk.ts';

const withPodTemplate = [
  'Deployment',
  'ReplicaSet',
  'ReplicationController',
  'StatefulSet',
  'DaemonSet',
  'Job',
];

/** What is wrong with the kind of a document; nothing if it is a v1 Pod. */
export function checkKind(value: unknown): readonly Problem[] {
  const hint = 'start with "apiVersion: v1" and "kind: Pod"';
  if (!isMap(value)) {
    const message = invalidValue(
      value,
      'a manifest is a map with apiVersion, kind, metadata and spec',
    );
    return [{ path: [], message, hint }];
  }
  const { apiVersion, kind } = value;
  if (kind === undefined) return [{ path: ['kind'], message: requiredValue(), hint }];
  if (kind === 'Pod') {
    if (apiVersion === undefined) return [{ path: ['apiVersion'], message: requiredValue(), hint }];
    if (apiVersion === 'v1') return [];
    const path = ['apiVersion'];
    return [{ path, message: unsupportedValue(apiVersion, ['v1']), hint: 'use "apiVersion: v1"' }];
  }
  return [{ path: ['kind'], message: unsupportedValue(kind, ['Pod']), hint: hintFor(kind) }];
}

function hintFor(kind: unknown): string {
  if (typeof kind !== 'string') return 'use "kind: Pod"';
  if (withPodTemplate.includes(kind)) {
    return `make a Pod of spec.template of this ${kind}: add "apiVersion: v1", "kind: Pod" and a metadata.name to it`;
  }
  if (kind === 'CronJob') {
    return 'make a Pod of spec.jobTemplate.spec.template: add "apiVersion: v1", "kind: Pod" and a metadata.name to it';
  }
  if (objectKinds.some((one) => one === kind)) {
    return `a pod is wanted here; hand the ${kind} over by itself: reprise apply -f FILE`;
  }
  if (kind === 'List' || kind === 'PodList')
    return 'give it "apiVersion: v1", and a list of "items"';
  return `remove it: only pods run here, a ${quoted(kind)} does not`;
}
