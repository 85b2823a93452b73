/**
 * Runs one hook: in the container through the runtime, from the node over HTTP, or by waiting.
 *
 * There is no time limit but the life of the container: what a preStop hook may take is up to the
 * decision, which sends the stop signal when the grace is over.
 */
import { messageOf } from '../errors.ts';
import { httpGet, urlOf } from '../host/http-get.ts';
import type { GetRequest } from '../host/http-get.ts';
import type { Action } from '../pod/action.ts';
import type { Hook, HttpGetAction } from '../pod/handler.ts';
import { containersOf } from '../pod/pod.ts';
import { RuntimeCallError } from '../runtime/call.ts';
import { sleep } from '../timers.ts';
import type { Means, Occasion } from './means.ts';
import { execWhenStarted } from './exec-when-started.ts';
import { addressOf, portOf } from './target.ts';
import type { Outcome } from './view.ts';

/** The version of Kubernetes whose hooks these are; servers may log it. */
const userAgent = 'kube-lifecycle/1.36';
const longestOutput = 1024;

type HookMeans = Pick<Means, 'cri' | 'node'>;
type HookOccasion = Pick<Occasion, 'pod' | 'picture' | 'tell' | 'report' | 'signal'>;
type HookAction = Action & { kind: 'run-hook' };

/** Resolves to `done` if the container ends meanwhile: there is nobody left to tell about it. */
export async function runHook(
  means: HookMeans,
  action: HookAction,
  occasion: HookOccasion,
): Promise<Outcome> {
  const { pod, tell, report, signal } = occasion;
  const { name: container, hook: kind } = action;
  const hook = containersOf(pod).find((one) => one.container.name === container)?.container
    .lifecycle?.[kind];
  if (hook === undefined) throw new Error('there is no such hook');
  try {
    await perform(means, hook, action, occasion);
    return { kind: 'hooked', outcome: 'done' };
  } catch (error) {
    if (signal.aborted) return { kind: 'done' };
    const message = error instanceof RuntimeCallError ? error.details : messageOf(error);
    // What a hook is and says may be secret: it is for the log and not for events, as under the kubelet.
    report(`run the ${kind} hook of ${container}`, error);
    // The decision tells of the other one: it stops the container.
    if (kind === 'preStop') {
      const reason = 'FailedPreStopHook';
      tell({ type: 'Warning', reason, message: 'PreStopHook failed', container });
    }
    return { kind: 'hooked', outcome: 'failed', message };
  }
}

async function perform(
  means: HookMeans,
  { exec, httpGet: get, sleep: pause }: Hook,
  { id, name }: HookAction,
  occasion: HookOccasion,
): Promise<void> {
  const { signal } = occasion;
  if (exec !== undefined) await runCommand(means, id, exec.command, signal);
  if (get !== undefined) await ask(means, get, name, occasion);
  if (pause !== undefined) await sleep(pause.seconds * 1000, signal);
}

async function runCommand(
  { cri }: HookMeans,
  id: string,
  command: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { exitCode, stdout, stderr } = await execWhenStarted(cri, id, command, 0, signal);
  if (exitCode === 0) return;
  const output = `${stdout.toString()}${stderr.toString()}`.slice(0, longestOutput);
  throw new Error(`command '${command.join(' ')}' exited with ${exitCode}: ${output}`);
}

/** Any status is a success, that of a redirect to another host included: the hook has been delivered. */
async function ask(
  means: HookMeans,
  { scheme, host = '', port, path, httpHeaders }: HttpGetAction,
  name: string,
  occasion: HookOccasion,
): Promise<void> {
  const { pod, tell, signal } = occasion;
  const found = containersOf(pod).find(({ container }) => container.name === name);
  if (found === undefined) throw new Error(`there is no container ${name}`);
  const target = host === '' ? addressOf(means, occasion) : host;
  const url = urlOf(scheme, target, portOf(found.container, port), path);
  const request: GetRequest = { url, headers: httpHeaders, userAgent };
  try {
    await httpGet(request, signal);
  } catch (error) {
    if (scheme !== 'HTTPS' || !isPlainAnswer(error)) throw error;
    const message = `request to HTTPS lifecycle hook ${url.host} got HTTP response, retry with HTTP succeeded`;
    const headers = httpHeaders.filter((one) => one.name.toLowerCase() !== 'authorization');
    url.protocol = 'http:';
    await httpGet({ ...request, headers }, signal);
    tell({ type: 'Warning', reason: 'LifecycleHTTPFallback', message, container: name });
  }
}

/** A server that speaks HTTP without TLS was spoken to with TLS. */
function isPlainAnswer(error: unknown): boolean {
  return /:(wrong version number|packet length too long):/.test(messageOf(error));
}
