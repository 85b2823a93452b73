/** A file system in memory, as a volume. */
import fs from 'node:fs/promises';
import os from 'node:os';
import { execa } from 'execa';
import { mountPoints } from '../mounts.ts';

export interface TmpfsOptions {
  /** At most so many bytes; absent: half of the memory, the kernel's default. */
  readonly sizeBytes?: number;
  /** Of its root. */
  readonly mode: number;
  readonly group?: number;
}

/** Mounts one, making the folder; one that is mounted already stays as it is. */
export async function mountTmpfs(directory: string, options: TmpfsOptions): Promise<void> {
  await fs.mkdir(directory, { recursive: true });
  if ((await mountPoints()).includes(await fs.realpath(directory))) return;
  const { sizeBytes, mode, group } = options;
  const words = [
    ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`]),
    `mode=${mode.toString(8)}`,
    ...(group === undefined ? [] : [`gid=${group}`]),
    ...(canRefuseSwap(os.release()) ? ['noswap'] : []),
  ];
  await execa('mount', ['-t', 'tmpfs', '-o', words.join(','), '--', 'tmpfs', directory]);
}

// tmpfs knows `noswap` since Linux 6.4.
function canRefuseSwap(release: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  return major > 6 || (major === 6 && minor >= 4);
}
