/**
 * Starts a container. Most were made ahead, some a long time ago: what may have changed since is looked
 * at again, and one that would be made otherwise now is removed, so that another one takes its place.
 */
import { createHash } from 'node:crypto';
import { hostStateOf } from '../host/host-state.ts';
import type { HostState } from '../host/host-state.ts';
import { writeHostsFile } from '../host/hosts-file.ts';
import { oomGroupKillsIn } from '../host/oom-kills.ts';
import { provideSubPaths } from '../host/volumes/sub-path.ts';
import type { Action } from '../pod/action.ts';
import type { Loan } from '../pod/loan.ts';
import type { NodeFacts } from '../pod/node-facts.ts';
import type { Container, Pod } from '../pod/pod.ts';
import { findContainer } from '../pod/pod.ts';
import { environmentFor } from '../runtime/container-config.ts';
import { hasSubPaths, hostPathsOf, subPathsOf } from '../runtime/mounts.ts';
import { seccompFileOf } from '../runtime/security.ts';
import { hasSameDevices } from './devices/give-devices.ts';
import { readEnvFiles } from './env-files.ts';
import { podCgroupOf } from './kill-instances.ts';
import { loanOf, sandboxOf } from './means.ts';
import type { Means, Occasion } from './means.ts';
import type { Outcome } from './view.ts';

/** What a container is made from beside pod, image and objects. */
export interface Surroundings {
  /** The same for as long as it would be made the same. */
  readonly hash: string;
  /** Files and folders that the runtime makes when it creates a container. */
  readonly missing: HostState['missing'];
}

export async function startContainer(
  means: Means,
  action: Action & { kind: 'start-container' },
  occasion: Occasion,
): Promise<Outcome> {
  const { pod, signal } = occasion;
  const container = findContainer(pod, action.name);
  if (isTooLate(action.id, occasion)) return await giveUp(means, action.id, signal);
  if (container !== undefined) await bringUpToDate(means, container, occasion);
  const isUpToDate =
    (container === undefined || (await wouldBeTheSame(means, container, action.id, occasion))) &&
    (await hasSameDevices(means, action, occasion));
  if (!isUpToDate) return await giveUp(means, action.id, signal);
  means.outOfMemory.willStart(pod.metadata.uid, () =>
    oomGroupKillsIn(podCgroupOf(means, pod), means.hierarchy),
  );
  await means.cri.startContainer(action.id, signal);
  means.devices.madeWith.delete(action.id);
  return { kind: 'done' };
}

/** While it waited for its turn its pod has begun to end, or to run anew: nobody wants it any more. */
function isTooLate(id: string, { latest }: Occasion): boolean {
  const { memory, observed } = latest();
  const isOld = observed.instances.some(
    (one) => one.id === id && one.generation < memory.generation,
  );
  return isOld || memory.ending !== undefined;
}

async function giveUp({ cri, devices }: Means, id: string, signal: AbortSignal): Promise<Outcome> {
  await cri.removeContainer(id, signal);
  devices.madeWith.delete(id);
  return { kind: 'outdated' };
}

/** What the surroundings of a container are now. */
export async function surroundingsOf(
  pod: Pod,
  container: Container,
  loan: Loan,
  node: NodeFacts,
): Promise<Surroundings> {
  // Addresses are among the inputs of those that take them (runtime/inputs.ts).
  const { hostIPs: _, ...facts } = node;
  const paths = hostPathsOf(pod, container, loan);
  const profile = seccompFileOf(pod, container, node);
  const hasAllDevices = container.securityContext.privileged;
  const isOfTheHost = paths.length > 0 || profile !== undefined || hasAllDevices;
  const { state, missing } = isOfTheHost
    ? await hostStateOf({ paths, profile, hasAllDevices })
    : { state: '', missing: [] };
  const hash = createHash('sha256').update(JSON.stringify([facts, state]));
  return { hash: hash.digest('hex').slice(0, 16), missing };
}

/** What others may have replaced or written to, that its mounts lead to. */
async function bringUpToDate(
  { node }: Means,
  container: Container,
  { pod, picture, find }: Occasion,
): Promise<void> {
  const podIPs = sandboxOf(picture)?.ips ?? [];
  const loan = loanOf(picture);
  await writeHostsFile(loan.hostsFile, pod, podIPs, node);
  if (!hasSubPaths(container)) return;
  const sources = { podIPs, find, envFiles: await readEnvFiles(container, loan) };
  const environment = environmentFor(pod, container, sources, node);
  await provideSubPaths(subPathsOf(pod, container, environment, loan));
}

async function wouldBeTheSame(
  { node }: Means,
  container: Container,
  id: string,
  { pod, picture }: Occasion,
): Promise<boolean> {
  const { hash, missing } = await surroundingsOf(pod, container, loanOf(picture), node);
  const made = picture.observed.instances.find((one) => one.id === id)?.surroundings;
  return made === hash && missing.length === 0;
}
