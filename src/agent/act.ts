/**
 * The table from action kind to the calls that perform it. No policy in here: what an action means
 * is said in pod/action.ts, when it is due in pod/decide.ts.
 *
 * Each can safely be done twice: what is gone counts as removed, and an instance that was already
 * created is found again by the look that follows every failure.
 *
 * Read next: create-container.ts, start-container.ts, kill-instances.ts; explain.ts, why one failed.
 */
import { RepriseError } from '../errors.ts';
import { lend, takeBack } from '../host/lend.ts';
import type { Action } from '../pod/action.ts';
import type { Pod } from '../pod/pod.ts';
import { findContainer, podKey } from '../pod/pod.ts';
import { unlessGone } from '../runtime/call.ts';
import type { Cri } from '../runtime/cri.ts';
import { dnsOf } from '../runtime/dns.ts';
import { assertNetworkReady } from '../runtime/network-ready.ts';
import { lookAtPod } from '../runtime/observe.ts';
import { sandboxConfig } from '../runtime/sandbox-config.ts';
import { freeDevices } from './devices/free-devices.ts';
import { runHook } from './hook.ts';
import { probeContainer } from './probe.ts';
import { createContainer } from './create-container.ts';
import { kill, proveGone } from './kill-instances.ts';
import { loanOf } from './means.ts';
import type { Means, Occasion } from './means.ts';
import { removeContainer } from './remove-container.ts';
import { startContainer } from './start-container.ts';
import type { Outcome } from './view.ts';

const done: Outcome = { kind: 'done' };

/** Performs one action; throws a RepriseError when it fails. */
export async function act(means: Means, action: Action, occasion: Occasion): Promise<Outcome> {
  const { cri } = means;
  const { pod, signal } = occasion;
  switch (action.kind) {
    case 'lend': {
      const loan = await lend(pod, means.lending, occasion.find);
      means.qosShares.add(pod);
      return { kind: 'lent', loan };
    }
    case 'run-sandbox':
      return await runSandbox(means, action.attempt, occasion);
    case 'create-container':
      return await createContainer(means, action, occasion);
    case 'start-container':
      return await startContainer(means, action, occasion);
    case 'stop-container':
      await stopContainer(means, action, occasion);
      return done;
    case 'run-hook':
      return await runHook(means, action, occasion);
    case 'probe-container':
      return await probeContainer(means, action, occasion);
    case 'kill-containers':
      return await kill(means, action, occasion);
    case 'prove-gone':
      return await proveGone(means, action.ids, occasion);
    case 'free-devices':
      await freeDevices(means, action.before, occasion);
      return done;
    case 'remove-container':
      await removeContainer(means, action, occasion);
      return done;
    case 'stop-sandbox':
      letGoOf(means, action.id, occasion);
      await cri.stopPodSandbox(action.id, signal);
      if (occasion.picture.memory.ending !== undefined) means.qosShares.remove(pod);
      return done;
    case 'remove-sandbox':
      letGoOf(means, action.id, occasion);
      await cri.removePodSandbox(action.id, signal);
      return done;
    case 'forget':
      await assertNothingLeft(means, pod, signal);
      means.qosShares.remove(pod);
      await takeBack(pod, means.lending);
      means.store.forget(pod.metadata.uid);
      means.outOfMemory.forget(pod.metadata.uid);
      return done;
    default:
      return action satisfies never;
  }
}

/** The end of a sandbox is that of its containers. */
function letGoOf({ cleanup }: Means, sandboxId: string, { picture }: Occasion): void {
  const { sandboxes, instances } = picture.observed;
  const attempt = sandboxes.find(({ id }) => id === sandboxId)?.attempt;
  for (const { id, sandboxAttempt } of instances)
    if (id !== undefined && sandboxAttempt === attempt) cleanup.letGo(id);
}

/** A call of an agent that was killed may have landed after the last look. */
async function assertNothingLeft({ cri }: Means, pod: Pod, signal: AbortSignal): Promise<void> {
  const { sandboxes, instances } = await lookAtPod(cri, pod.metadata.uid, signal);
  if (sandboxes.length + instances.length === 0) return;
  throw new RepriseError('the runtime still has something of the pod', {
    where: `pod ${podKey(pod)}`,
    next: 'nothing: it is looked at again, and removed',
  });
}

async function stopContainer(
  { cri, cleanup, stopWithSignal }: Means,
  { id, name, graceSeconds, isSignalled = false }: Action & { kind: 'stop-container' },
  { pod, signalled, signal }: Occasion,
): Promise<void> {
  const { stopSignal } = findContainer(pod, name)?.lifecycle ?? {};
  cleanup.letGo(id);
  if (stopSignal === undefined) {
    // Of itself the runtime sends no second one.
    await cri.stopContainer(id, graceSeconds, signal);
    await assertStopped(cri, id, signal);
    return;
  }
  const onSignalled = () => signalled(id);
  await stopWithSignal(id, { stopSignal, graceSeconds, isSignalled, onSignalled }, signal);
}

/** containerd lets a stop pass, as if it had been done, of what it has not seen start or has lost. */
async function assertStopped(cri: Cri, id: string, signal: AbortSignal): Promise<void> {
  const status = await unlessGone(cri.containerStatus(id, signal));
  if (status === undefined || status.state === 'CONTAINER_EXITED') return;
  throw new RepriseError('the runtime has not stopped the container', {
    where: `container ${id}`,
    next: 'nothing: it is asked again',
  });
}

async function runSandbox(
  means: Means,
  attempt: number,
  { pod, picture, tell, signal }: Occasion,
): Promise<Outcome> {
  const { hostIPs } = means.node;
  const { config: dnsConfig, warnings } = dnsOf(pod, means.resolver(), hostIPs);
  for (const warning of warnings) tell(warning);
  if (!pod.spec.hostNetwork) await assertNetworkReady(means.cri, signal);
  const config = { ...sandboxConfig(pod, attempt, loanOf(picture), means.node), dnsConfig };
  const id = await means.cri.runPodSandbox(config, pod.spec.runtimeClassName ?? '', signal);
  const { sandboxes } = await lookAtPod(means.cri, pod.metadata.uid, signal);
  const sandbox = sandboxes.find((one) => one.id === id);
  if (sandbox === undefined) {
    throw new RepriseError('the sandbox was gone as soon as it was there', { where: id });
  }
  return { kind: 'sandbox', sandbox };
}
