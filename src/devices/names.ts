/**
 * The names of devices: `vendor/class` is a kind, `vendor/class=name` one device of it.
 *
 * Source: the Container Device Interface's pkg/parser. One thing is stricter on purpose: releases of
 * containerd up to 2.3.4 crash on a vendor or class of a single character.
 */

/** A device by its full name, taken apart. */
export interface QualifiedName {
  /** `vendor/class`; what containers ask for in their limits. */
  readonly kind: string;
  readonly name: string;
}

const vendorPattern = /^[A-Za-z][\w.-]*[A-Za-z0-9]$/;
const classPattern = /^[A-Za-z][\w.-]*[A-Za-z0-9]$/;
const namePattern = /^[A-Za-z0-9](?:[\w.:-]*[A-Za-z0-9])?$/;

/** Whether a text is `vendor/class`. */
export function isKind(text: string): boolean {
  return kindFault(text) === undefined;
}

/** What is wrong with a kind; absent if nothing is. */
export function kindFault(text: string): string | undefined {
  const [vendor = '', className, ...more] = text.split('/');
  if (className === undefined || more.length > 0) return `"${text}" is no vendor/class`;
  if (vendor.length === 1 || className.length === 1) {
    return `"${text}" has a vendor or class of one character, which crashes containerd`;
  }
  if (vendorPattern.test(vendor) && classPattern.test(className)) return undefined;
  return `"${text}" is no vendor/class of letters, digits, "_", "-" and "."`;
}

/** Whether a text may name a device within its kind. */
export function isDeviceName(text: string): boolean {
  return namePattern.test(text);
}

/** The parts of `vendor/class=name`; absent if it is none. */
export function parseQualifiedName(text: string): QualifiedName | undefined {
  const at = text.indexOf('=');
  if (at < 0) return undefined;
  const [kind, name] = [text.slice(0, at), text.slice(at + 1)];
  return isKind(kind) && isDeviceName(name) ? { kind, name } : undefined;
}

/** `vendor/class=name`. */
export function qualified({ kind, name }: QualifiedName): string {
  return `${kind}=${name}`;
}
