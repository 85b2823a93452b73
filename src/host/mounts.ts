/**
 * What is mounted, and how to remove a folder that may have mounts, foreign links or endless depth
 * in it: containers had it, so nothing in it is to be trusted.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { RepriseError } from '../errors.ts';
import { isErrno } from './errno.ts';

/** Something of a pod cannot be removed; nothing was deleted through a mount. */
export class RemovalError extends RepriseError {}

/** Every mount point, in the order of mounting; one that is mounted over appears again. */
export async function mountPoints(): Promise<readonly string[]> {
  const table = await fs.readFile('/proc/self/mountinfo', 'utf8');
  return table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => unescape(line.split(' ')[4] ?? ''));
}

/**
 * Removes a folder and everything in it. What is mounted in it is unmounted first, and if that
 * fails nothing is removed. Links are removed, never followed. A folder that is not there is fine.
 */
export async function removeFolder(directory: string): Promise<void> {
  const place = await realPlace(directory);
  if (place === undefined) return;
  await unmountBelow(place);
  // rm goes down by file descriptors: no depth is too deep and no link put in its way leads it out.
  const { exitCode, stderr } = await execa('rm', ['-rf', '--one-file-system', '--', place], {
    reject: false,
  });
  if (exitCode === 0) return;
  throw new RemovalError(`cannot remove a folder of the pod: ${stderr}`, {
    where: place,
    next: 'see what holds it (lsattr, mount), then delete the pod again',
  });
}

/**
 * Unmounts what is mounted in and at a place, and nothing else: a mount of the machine that is shared
 * (systemd shares them all) has come along into the place, and would go away everywhere with it.
 */
export async function unmountBelow(place: string): Promise<void> {
  const mounts = await mountsBelow(place);
  // From the outside in: whether it goes away elsewhere is for the mount to say that holds it.
  for (const mounted of mounts) await perform('mount', ['--make-private', '--', mounted], place);
  // Latest first: a mount inside another one, or over it, came after it.
  for (const mounted of mounts.toReversed()) await perform('umount', ['--', mounted], place);
  const left = await mountsBelow(place);
  if (left.length === 0) return;
  throw new RemovalError(
    'something was mounted in a folder of the pod while it was being removed',
    {
      where: left.join(', '),
      next: 'unmount it, then delete the pod again',
    },
  );
}

/** What was unmounted meanwhile is fine. */
async function perform(program: string, args: readonly string[], place: string): Promise<void> {
  const { exitCode, stderr } = await execa(program, args, { reject: false });
  const mounted = args.at(-1) ?? '';
  if (exitCode === 0 || !(await mountsBelow(place)).includes(mounted)) return;
  throw new RemovalError(`cannot unmount what is in a folder of the pod: ${stderr}`, {
    where: mounted,
    next: `end what uses it (see "fuser -vm ${mounted}"), then delete the pod again`,
  });
}

async function mountsBelow(place: string): Promise<readonly string[]> {
  return (await mountPoints()).filter((each) => each === place || each.startsWith(`${place}/`));
}

// The mount table has real paths. The last part is not resolved: a link there is not our folder.
async function realPlace(directory: string): Promise<string | undefined> {
  try {
    const place = path.join(await fs.realpath(path.dirname(directory)), path.basename(directory));
    await fs.lstat(place);
    return place;
  } catch (error) {
    // What has too long a name cannot have been made.
    if (isErrno(error, 'ENOENT', 'ENAMETOOLONG')) return undefined;
    throw error;
  }
}

// The kernel writes space, tab, newline and backslash as \ooo.
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
