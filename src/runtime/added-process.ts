/**
 * Processes beside the first one of a container, connected to us by named pipes.
 *
 * CRI's own Exec answers with the address of a server of containerd's, which speaks SPDY: this is what it
 * does itself, without the way around. The process is as the container's first one, but for its command
 * and its terminal (execInContainer in containerd's container_execsync.go).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isCallError, perform, unlessGone } from './call.ts';
import type { Containerd } from './connect.ts';
import { ContainerdUnreachable } from './unreachable.ts';

/** What is to run, and how it is connected. */
export interface ProcessRequest {
  readonly containerId: string;
  /** Ours to choose; no other process of the container has it. */
  readonly id: string;
  /** Never empty. */
  readonly command: readonly string[];
  readonly tty: boolean;
  /** Paths of named pipes; with a terminal there is no `stderr`. */
  readonly pipes: { readonly stdin?: string; readonly stdout?: string; readonly stderr?: string };
}

/** A process that runs, or has run. */
export interface AddedProcess {
  /** Resolves with its exit code; rejects if the container ended and nobody knows. */
  exited(signal: AbortSignal): Promise<number>;
  /** Its input ends with what is in the pipe. */
  closeInput(): Promise<void>;
  /** In characters. */
  resize(size: TerminalSize): Promise<void>;
}

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

export interface Processes {
  /** Starts a process; nothing is left of one that could not be started, or whose caller went away. */
  readonly add: (request: ProcessRequest, signal: AbortSignal) => Promise<AddedProcess>;
  /** Kills it, waits for its end and removes what is left of it in the runtime; one that is gone is ended. */
  readonly end: (containerId: string, id: string) => Promise<void>;
}

const WITHIN_MS = 120_000;
/** How long one that was killed may take to end: what waits for a disk or a device may never. */
const DIES_WITHIN_MS = 5_000;
/** How often, and how long after each other, a runtime is asked that is just being started again. */
const TRIES = 20;
const TRY_AGAIN_MS = 500;
const SIGKILL = 9;

export function processesOf(containerd: Containerd): Processes {
  const { tasks } = containerd;
  const patience = { deadlineMs: WITHIN_MS };
  const wait = async (which: Which, signal?: AbortSignal, deadlineMs = Infinity): Promise<number> =>
    (await perform(containerd, tasks.Wait, which, { deadlineMs, signal })).exitStatus;

  const end = async (which: Which): Promise<void> => {
    const request = { ...which, signal: SIGKILL };
    await unlessGone(perform(containerd, tasks.Kill, request, patience));
    await unlessGone(wait(which, undefined, DIES_WITHIN_MS));
    await unlessGone(perform(containerd, tasks.DeleteProcess, which, patience));
  };

  return {
    add: async ({ containerId, id, command, tty, pipes }, signal) => {
      const which = { containerId, execId: id };
      const process = processFor(await processOf(containerd, containerId, signal), command, tty);
      const spec = { type_url: PROCESS_TYPE, value: process };
      try {
        // Not ended with the signal: what containerd has begun it finishes, and nobody would know.
        const request = { ...which, ...pipes, terminal: tty, spec };
        await perform(containerd, tasks.Exec, request, patience);
        await perform(containerd, tasks.Start, which, patience);
        signal.throwIfAborted();
      } catch (error) {
        // Why it could not be started says more than why it could not be removed.
        await end(which).catch(() => undefined);
        throw error;
      }
      return {
        exited: (until) => whenItAnswers(() => wait(which, until), until),
        closeInput: async () => {
          const request = { ...which, stdin: true };
          await unlessGone(perform(containerd, tasks.CloseIO, request, patience));
        },
        resize: async (size) => {
          await unlessGone(perform(containerd, tasks.ResizePty, { ...which, ...size }, patience));
        },
      };
    },
    end: (containerId, execId) => whenItAnswers(() => end({ containerId, execId })),
  };
}

interface Which {
  readonly containerId: string;
  readonly execId: string;
}

/** Processes outlive a restart of containerd; whoever waits for one does, too. */
async function whenItAnswers<T>(ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      const isAway = error instanceof ContainerdUnreachable || isCallError(error, 'cancelled');
      if (!isAway || tries === TRIES) throw error;
      await delay(TRY_AGAIN_MS, undefined, { signal });
    }
  }
}

/** containerd's name for it, in any. */
const PROCESS_TYPE = 'types.containerd.io/opencontainers/runtime-spec/1/Process';

/** `process` of an OCI runtime specification, of which only this is ours to know. */
interface Process {
  readonly env?: readonly string[];
}

async function processOf(
  containerd: Containerd,
  containerId: string,
  signal: AbortSignal,
): Promise<Process> {
  const request = { id: containerId };
  const patience = { deadlineMs: WITHIN_MS, signal };
  const { container } = await perform(containerd, containerd.containers.Get, request, patience);
  const text = Buffer.from(container?.spec?.value ?? '').toString('utf8');
  return (JSON.parse(text, keepDigits) as { process: Process }).process;
}

function processFor(process: Process, command: readonly string[], tty: boolean): Buffer {
  const changed = {
    ...process,
    args: command,
    commandLine: undefined,
    terminal: tty,
    consoleSize: undefined,
    ...(tty && { env: withTerm(process.env ?? []) }),
  };
  return Buffer.from(JSON.stringify(changed));
}

function withTerm(env: readonly string[]): string[] {
  return [...env.filter((entry) => !entry.startsWith('TERM=')), 'TERM=xterm'];
}

/** Limits may be 2^64 - 1, which no number of JavaScript is: such numbers go through as they are written. */
function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || !Number.isInteger(value)) return value;
  if (Number.isSafeInteger(value) || context?.source === undefined) return value;
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(context.source);
}
