/**
 * A pod's devices as plain data: what it has of them, how they are, and what a container is given.
 * Who gets which is decided in devices/; this is what the rest needs to know of it.
 */
import type { Pod } from './pod.ts';
import { containersOf } from './pod.ts';

/** What is known of the devices of a pod that asks for some. */
export interface DeviceView {
  /** Why it has to wait for them, in words; absent: it has all that it asks for. */
  readonly waits?: string;
  readonly given: readonly GivenDevice[];
}

/** One device in the hands of one container. */
export interface GivenDevice {
  readonly container: string;
  /** What was asked for: `vendor/class`. */
  readonly resource: string;
  /** Full name of the device. */
  readonly id: string;
  /** What is wrong with it; absent: nothing is known to be. */
  readonly fault?: string;
}

/** What is done to a container to give it its devices. */
export interface DeviceGrant {
  /** Full names, for a runtime that knows CDI. */
  readonly cdiNames: readonly string[];
  readonly nodes: readonly GrantedNode[];
  readonly mounts: readonly GrantedMount[];
  /** In the place of variables of the same name. */
  readonly env: readonly { readonly name: string; readonly value: string }[];
  /** Groups that the processes get as well. */
  readonly groups: readonly number[];
  /** Nodes with their numbers, and a hash of the edits: another one makes what was made before unfit. */
  readonly summary: string;
}

export interface GrantedNode {
  /** In the container. */
  readonly path: string;
  readonly hostPath: string;
  /** A part of `rwm`, never empty. */
  readonly permissions: string;
}

export interface GrantedMount {
  readonly path: string;
  readonly hostPath: string;
  readonly readOnly: boolean;
  readonly propagation: 'private' | 'slave' | 'shared';
}

/** `vendor/class` in a container's limits asks for that many devices of a kind. */
export function isDeviceResource(name: string): boolean {
  return name.includes('/');
}

/** A vendor or class, of at least two characters: see devices/names.ts. */
const part = '[A-Za-z][\\w.-]*[A-Za-z0-9]';
const kindPattern = new RegExp(`^${part}/${part}$`);
const fullNamePattern = new RegExp(`^${part}/${part}=[A-Za-z0-9](?:[\\w.:-]*[A-Za-z0-9])?$`);

/** Whether a text is `vendor/class`. */
export function isDeviceKind(text: string): boolean {
  return kindPattern.test(text);
}

/** Whether a text is the full name of a device: `vendor/class=name`. */
export function isDeviceName(text: string): boolean {
  return fullNamePattern.test(text);
}

/** Prefix of the annotations of a pod that name the devices its containers get. */
export const cdiAnnotationPrefix = 'cdi.k8s.io/';

/** Whether a pod may have devices at all; for all others nothing is looked up. */
export function mayHaveDevices(pod: Pod): boolean {
  return (
    pod.spec.runtimeClassName !== undefined ||
    Object.keys(pod.metadata.annotations).some((key) => key.startsWith(cdiAnnotationPrefix)) ||
    containersOf(pod).some(({ container }) =>
      Object.keys(container.resources.limits).some(isDeviceResource),
    )
  );
}
