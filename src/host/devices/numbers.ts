/** Device numbers as the kernel writes them. */
import type { Stats } from 'node:fs';

/** `c 195:0`, `b 8:1`; absent for what is no device. */
export function deviceOf(stats: Pick<Stats, 'rdev' | 'mode'>): string | undefined {
  const type = typeOf(stats);
  if (type === undefined) return undefined;
  const { major, minor } = numbersOf(stats.rdev);
  return `${type} ${major}:${minor}`;
}

/** Both numbers of a device; source: the kernel's new_decode_dev. */
export function numbersOf(rdev: number): { readonly major: number; readonly minor: number } {
  return { major: (rdev >> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00) };
}

function typeOf({ mode }: Pick<Stats, 'mode'>): 'c' | 'b' | undefined {
  const format = mode & 0o170000;
  if (format === 0o020000) return 'c';
  return format === 0o060000 ? 'b' : undefined;
}
