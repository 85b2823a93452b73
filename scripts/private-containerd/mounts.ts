/**
 * The mounts below a folder: containers' root file systems, pinned network namespaces, volumes.
 */
import { readFile } from 'node:fs/promises';
import { execa } from 'execa';

/** Mount points below the folder, deepest and latest first, as they must be unmounted. */
export async function findMounts(dir: string): Promise<string[]> {
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8');
  return mountinfo
    .split('\n')
    .map((line) => unescapeMount(line.split(' ')[4] ?? ''))
    .filter((point) => point === dir || point.startsWith(`${dir}/`))
    .reverse();
}

/** Unmounts everything below the folder, which makes it safe to delete. */
export async function unmountAll(dir: string): Promise<void> {
  for (const point of await findMounts(dir)) {
    const result = await execa('umount', [point], { reject: false });
    // Somebody may look into it from outside; detached, it goes when they leave.
    if (result.failed) await execa('umount', ['--lazy', point]);
  }
}

/** The kernel writes space, tab, newline and backslash as three octal digits. */
export function unescapeMount(path: string): string {
  return path.replaceAll(/\\(\d{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
