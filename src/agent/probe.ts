/**
 * Makes one probe: in the container through the runtime, or from the node over the network.
 *
 * Every answer is a finding, the absence of one included. What cannot even be asked (the runtime has
 * trouble, a port has no such name) is `unknown`, which counts neither way; the kubelet's
 * prober/prober.go tries that three times at once.
 */
import { isIPv6 } from 'node:net';
import { messageOf } from '../errors.ts';
import { probeHttp, probeTcp } from '../host/net-probe.ts';
import type { Action } from '../pod/action.ts';
import type { ExecAction, Probe } from '../pod/handler.ts';
import { probeOf } from '../pod/handler.ts';
import type { Container } from '../pod/pod.ts';
import { containersOf } from '../pod/pod.ts';
import { RuntimeCallError, isCallError } from '../runtime/call.ts';
import { expandWords } from '../runtime/expand.ts';
import { ProgramRoom } from '../runtime/program-room.ts';
import type { Means, Occasion } from './means.ts';
import { execWhenStarted } from './exec-when-started.ts';
import { addressOf, portOf } from './target.ts';
import type { Outcome, ProbeFinding } from './view.ts';

/** The version of Kubernetes whose probes these are; servers may log it. */
const userAgent = 'kube-probe/1.36';
type ProbeMeans = Pick<Means, 'cri' | 'node' | 'checkHealth'>;
type ProbeOccasion = Pick<Occasion, 'pod' | 'picture' | 'signal'>;

const tries = 3;
const longestOutput = 10 * 1024;

/** Resolves to `done`, without a finding, if the container ends meanwhile. */
export async function probeContainer(
  means: ProbeMeans,
  action: Action & { kind: 'probe-container' },
  occasion: ProbeOccasion,
): Promise<Outcome> {
  const { pod, signal } = occasion;
  const found = containersOf(pod).find(({ container }) => container.name === action.name);
  const probe = found && probeOf(found.container, action.probe);
  if (found === undefined || probe === undefined) throw new Error('there is no such probe');
  try {
    const { outcome, output } = await firstAnswer(tries, signal, () =>
      ask(means, probe, found.container, action.id, occasion),
    );
    return { kind: 'probed', outcome, output: output.slice(0, longestOutput) };
  } catch (error) {
    if (signal.aborted) return { kind: 'done' };
    throw error;
  }
}

/** The first finding that is one; after so many tries the reason why there is none. */
async function firstAnswer(
  tries: number,
  signal: AbortSignal,
  ask: () => Promise<ProbeFinding>,
): Promise<ProbeFinding> {
  try {
    return await ask();
  } catch (error) {
    signal.throwIfAborted();
    if (tries > 1) return await firstAnswer(tries - 1, signal, ask);
    const output = error instanceof RuntimeCallError ? error.details : messageOf(error);
    return { outcome: 'unknown', output };
  }
}

async function ask(
  means: ProbeMeans,
  { exec, httpGet, tcpSocket, grpc, timeoutSeconds }: Probe,
  container: Container,
  id: string,
  occasion: ProbeOccasion,
): Promise<ProbeFinding> {
  const { cri, checkHealth } = means;
  const { signal } = occasion;
  const timeoutMs = timeoutSeconds * 1000;
  if (exec !== undefined) {
    const command = commandOf(exec, container);
    return await probeExec(cri, id, command, timeoutSeconds, signal);
  }
  if (httpGet !== undefined) {
    const { scheme, host = addressOf(means, occasion), path, httpHeaders: headers } = httpGet;
    const port = portOf(container, httpGet.port);
    return await probeHttp({ scheme, host, port, path, headers, userAgent }, timeoutMs, signal);
  }
  if (tcpSocket !== undefined) {
    const { host = addressOf(means, occasion) } = tcpSocket;
    return await probeTcp(host, portOf(container, tcpSocket.port), timeoutMs, signal);
  }
  if (grpc === undefined) throw new Error('a probe without a handler was accepted');
  const address = addressOf(means, occasion);
  const target = `${isIPv6(address) ? `[${address}]` : address}:${grpc.port}`;
  const question = { target, service: grpc.service, userAgent, timeoutMs };
  const complaint = await checkHealth(question, signal);
  signal.throwIfAborted();
  return complaint === undefined
    ? { outcome: 'success', output: 'service healthy' }
    : { outcome: 'failure', output: complaint };
}

async function probeExec(
  cri: Means['cri'],
  id: string,
  command: readonly string[],
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<ProbeFinding> {
  try {
    const answer = await execWhenStarted(cri, id, command, timeoutSeconds, signal);
    const { exitCode, stdout, stderr } = answer;
    const output = Buffer.concat([Buffer.from(stdout), Buffer.from(stderr)]).toString();
    return { outcome: exitCode === 0 ? 'success' : 'failure', output };
  } catch (error) {
    if (!isCallError(error, 'deadline')) throw error;
    return {
      outcome: 'failure',
      output: `command timed out: ${JSON.stringify(command.join(' '))} timed out after ${timeoutSeconds}s`,
    };
  }
}

/** `$(NAME)` stands for a variable with a fixed value; others are known to the container alone. */
function commandOf({ command }: ExecAction, { env }: Container): readonly string[] {
  const fixed = new Map(env.map(({ name, value = '' }) => [name, value]));
  return expandWords(command, fixed, { field: 'exec.command', room: new ProgramRoom() });
}
