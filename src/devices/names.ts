/**
 * The names of devices: `vendor/class` is a kind, `vendor/class=name` one device of it.
 *
 * Source: the Container Device Interface's pkg/parser. One thing is stricter on purpose: releases of
 * containerd up to 2.3.4 crash on a vendor or class of a single character.
 */

import { isDeviceKind, isDeviceName as isFullName } from '../pod/devices.ts';

/** A device by its full name, taken apart. */
export interface QualifiedName {
  /** `vendor/class`; what containers ask for in their limits. */
  readonly kind: string;
  readonly name: string;
}

const namePattern = /^[A-Za-z0-9](?:[\w.:-]*[A-Za-z0-9])?$/;

/** What is wrong with a kind; absent if nothing is. */
export function kindFault(text: string): string | undefined {
  const [vendor = '', className, ...more] = text.split('/');
  if (className === undefined || more.length > 0) return `"${text}" is no vendor/class`;
  if (vendor.length === 1 || className.length === 1) {
    return `"${text}" has a vendor or class of one character, which crashes containerd`;
  }
  if (isDeviceKind(text)) return undefined;
  return `"${text}" is no vendor/class of letters, digits, "_", "-" and "."`;
}

/** Whether a text may name a device within its kind. */
export function isDeviceName(text: string): boolean {
  return namePattern.test(text);
}

/** The parts of `vendor/class=name`; absent if it is none. */
export function parseQualifiedName(text: string): QualifiedName | undefined {
  if (!isFullName(text)) return undefined;
  const at = text.indexOf('=');
  return { kind: text.slice(0, at), name: text.slice(at + 1) };
}

/** `vendor/class=name`. */
export function qualified({ kind, name }: QualifiedName): string {
  return `${kind}=${name}`;
}
