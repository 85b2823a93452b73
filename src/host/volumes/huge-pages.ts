/** emptyDir with `medium: HugePages`: a hugetlbfs of the pages that the pod has a limit on. */
import fs from 'node:fs/promises';
import { execa } from 'execa';
import type { Pod, Volume } from '../../pod/pod.ts';
import { containersOf } from '../../pod/pod.ts';
import { bytes } from '../../pod/quantity.ts';
import { mountPoints } from '../mounts.ts';

/** Bytes of a page of the volume's medium; undefined if it is not one of huge pages. */
export function pageBytesOf(pod: Pod, { emptyDir }: Volume): number | undefined {
  const [medium, size] = (emptyDir?.medium ?? '').split('-');
  if (medium !== 'HugePages') return undefined;
  if (size !== undefined) return bytes(size);
  // Validated: the pod has pages of one size only.
  const limits = [pod.spec, ...containersOf(pod).map(({ container }) => container)].flatMap(
    ({ resources }) => Object.keys(resources?.limits ?? {}),
  );
  const name = limits.find((each) => each.startsWith('hugepages-'));
  return name === undefined ? undefined : bytes(name.slice('hugepages-'.length));
}

/** Mounts it on a folder, which is made; one that is there already is left as it is. */
export async function mountHugePages(
  directory: string,
  pageBytes: number,
  options: { readonly mode: number; readonly gid?: number; readonly sizeBytes: number },
): Promise<void> {
  await fs.mkdir(directory, { recursive: true });
  if ((await mountPoints()).includes(await fs.realpath(directory))) return;
  const { mode, gid, sizeBytes } = options;
  const words = [
    `pagesize=${pageBytes}`,
    ...(sizeBytes > 0 ? [`size=${sizeBytes}`] : []),
    ...(gid === undefined ? [] : [`gid=${gid}`]),
  ];
  await execa('mount', ['-t', 'hugetlbfs', '-o', words.join(','), '--', 'hugetlbfs', directory]);
  // Its option for the mode takes no setgid.
  await fs.chmod(directory, mode);
}
