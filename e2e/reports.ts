/**
 * Containers that tell what they see: each writes a report into the shared volume, once in every
 * generation, so that what it sees can be compared before and after a restart in place.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { container, pod, restartAllOn, sidecar } from './manifests.ts';
import type { ContainerOf, ManifestOf } from './manifests.ts';
import type { Place } from './node.ts';
import { generationOf, until } from './node.ts';
import { napping } from './pace.ts';

/** Reports what the shell prints, then waits. */
export function reporter(
  name: string,
  report: string,
  more: Record<string, unknown> = {},
): ContainerOf {
  const script = `
    { ${report}
    } > /shared/$NAME.new 2>&1; mv /shared/$NAME.new /shared/$NAME
    trap 'exit 143' TERM
    ${napping}
    while :; do nap; done`;
  return container(name, script, more);
}

/** A pod of such containers that can be restarted in place. */
export function reportingPod(
  name: string,
  containers: readonly ContainerOf[],
  more: Record<string, unknown> = {},
): ManifestOf {
  return pod(name, [sidecar('watcher', restartAllOn(88))], containers, more);
}

/** Lines of reports, by the container's name. */
export type Reports = Readonly<Record<string, readonly string[]>>;

/** What these containers have reported, as soon as all have. */
export async function reports(node: Place, of: V1Pod, names: readonly string[]): Promise<Reports> {
  const read = async (name: string) => {
    const file = path.join(node.volume(of), name);
    const text = await until(`${name} has reported`, () =>
      fs.readFile(file, 'utf8').catch(() => undefined),
    );
    return [name, text.trim().split('\n')] as const;
  };
  return Object.fromEntries(await Promise.all(names.map(read)));
}

/** Restarts a reporting pod in place; the old reports are gone when it is ready again. */
export async function restartInPlace(
  node: Place,
  of: V1Pod,
  names: readonly string[],
): Promise<V1Pod> {
  const volume = node.volume(of);
  for (const one of names) await fs.rm(path.join(volume, one));
  await node.tell(of, 'watcher', 88);
  return await node.ready(of.metadata.name, generationOf(of) + 1);
}

/** The reports before and after a restart in place, and the pod at its two times. */
export async function reportsAroundRestart(
  node: Place,
  manifest: ManifestOf,
  ...names: string[]
): Promise<{ pods: readonly [V1Pod, V1Pod]; before: Reports; after: Reports }> {
  await node.apply(manifest);
  const first = await node.ready(manifest.metadata.name);
  const before = await reports(node, first, names);
  const second = await restartInPlace(node, first, names);
  return { pods: [first, second], before, after: await reports(node, second, names) };
}
