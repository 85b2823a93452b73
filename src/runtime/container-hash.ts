/**
 * The hash by which the kubelet knows a container of another spec: to the digit, as it is on its
 * annotation, so that a container reads the same whoever has made it.
 *
 * Source: the kubelet's HashContainer, which takes name and image as JSON, prints the bytes of that as
 * its debugger does, and hashes what was printed.
 */
import type { Container } from '../pod/pod.ts';

/** The hash in hexadecimal digits. */
export function containerHash({ image, name }: Container): string {
  const json = [...Buffer.from(JSON.stringify({ image, name }))];
  return fnv1a(`([]uint8)[${json.join(' ')}]`).toString(16);
}

/** FNV-1a with 32 bits. */
function fnv1a(text: string): number {
  return [...Buffer.from(text)].reduce(
    (hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0,
    0x811c9dc5,
  );
}
