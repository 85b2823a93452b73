/**
 * The pods of the contenders, each with the folder it shares with the benchmark.
 *
 * Read next: in-place-contender.ts, raw-contender.ts.
 */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Backend, ManifestPod } from '../api/backend.ts';
import { podFromValue } from '../manifest/parse-pod.ts';
import type { V1Pod } from '../pod/pod-status.ts';
import type { Cri } from '../runtime/cri.ts';
import type { CleanUp } from './clean-up.ts';
import type { Contender } from './contender.ts';
import { ExitPoll } from './exit-poll.ts';
import { inPlaceContender } from './in-place-contender.ts';
import type { InPlaceMeans } from './in-place-contender.ts';
import { rawContender } from './raw-contender.ts';
import { RawPod } from './raw-pod.ts';
import type { RawMeans } from './raw-pod.ts';
import { appNames, manifestOf } from './scenario.ts';
import type { Scenario } from './scenario.ts';
import { allSettled } from './settled.ts';
import { SharedFolder } from './shared-folder.ts';

/** Where pods are made. */
export interface Site {
  readonly scenario: Scenario;
  /** Everything is below it. */
  readonly folder: string;
  readonly cri: Cri;
  readonly cleanUp: CleanUp;
}

/** Nobody else's pods are in there. */
const NAMESPACE = 'reprise-bench';
/** How many pods are brought up at a time. */
const AT_A_TIME = 4;

/** Pods of the agent. */
export async function makeInPlace(site: Site, means: InPlaceMeans): Promise<Contender> {
  const { backend } = means;
  const made = await severally(site.scenario.pods, async (index) => {
    const { name, shared, manifest } = await draft(site, `in-place-${index}`);
    const v1Pod = await backend.create(manifest);
    site.cleanUp.addPod(name, (signal) => removePod(backend, v1Pod, signal));
    return { named: { name, shared }, v1Pod };
  });
  return inPlaceContender(
    means,
    made.map(({ named }) => named),
    made.map(({ v1Pod }) => v1Pod),
  );
}

/** Pods made by hand, for the naive floor and re-creation together. */
export async function makeRaw(
  site: Site,
  means: RawMeans,
  signal: AbortSignal,
): Promise<readonly Contender[]> {
  const exits = new ExitPoll(site.cri, signal);
  const made = await severally(site.scenario.pods, async (index) => {
    const { name, shared, manifest } = await draft(site, `raw-${index}`);
    const identity = { uid: randomUUID(), creationTimestamp: new Date().toISOString() };
    const metadata = { ...manifest.metadata, ...identity };
    const rawPod = new RawPod({ ...manifest, metadata }, means);
    site.cleanUp.addPod(name, () => rawPod.remove());
    await rawPod.start(exits, signal);
    return { named: { name, shared }, rawPod };
  });
  const named = made.map((one) => one.named);
  const rawPods = made.map(({ rawPod }) => rawPod);
  return [
    rawContender('naive', site.cri, named, rawPods),
    rawContender('re-creation', site.cri, named, rawPods),
  ];
}

/** A pod's folder and its manifest, accepted just as a user's is. */
async function draft(
  { scenario, folder }: Site,
  name: string,
): Promise<{ name: string; shared: SharedFolder; manifest: ManifestPod }> {
  const sharedFolder = path.join(folder, 'shared', name);
  const shared = await SharedFolder.make(sharedFolder, appNames(scenario));
  const manifest = manifestOf(scenario, { name, namespace: NAMESPACE, sharedFolder });
  return { name, shared, manifest: podFromValue(manifest, 'the pod of the benchmark').pod };
}

/** Makes a number of things, a few at a time; none is still being made when it fails. */
async function severally<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  while (made.length < count) {
    const size = Math.min(AT_A_TIME, count - made.length);
    const first = made.length;
    made.push(...(await allSettled(Array.from({ length: size }, (_, i) => make(first + i)))));
  }
  return made;
}

async function removePod(
  backend: Backend,
  { metadata: { namespace, name } }: V1Pod,
  signal: AbortSignal,
): Promise<void> {
  const done = new AbortController();
  const until = AbortSignal.any([signal, done.signal]);
  const pods = backend.watchPods({ namespace, name, initial: false }, until);
  await backend.delete(namespace, name, { force: true });
  for await (const { type } of pods) if (type === 'DELETED') done.abort();
  signal.throwIfAborted();
}
