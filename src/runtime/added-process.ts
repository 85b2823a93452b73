/**
 * Processes beside the first one of a container, connected to us by named pipes.
 *
 * CRI's own Exec answers with the address of a server of containerd's, which speaks SPDY: this is what it
 * does itself, without the way around. The process is as the container's first one, but for its command
 * and its terminal (execInContainer in containerd's container_execsync.go).
 */
import { isCallError, perform } from './call.ts';
import type { Containerd } from './connect.ts';

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
  /** SIGKILL; nothing if it has ended. */
  kill(): Promise<void>;
  /** What is left of it in the runtime; it has to have ended. */
  remove(): Promise<void>;
}

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** Starts a process; nothing is left of one that could not be started. */
export type AddProcess = (request: ProcessRequest, signal: AbortSignal) => Promise<AddedProcess>;

const WITHIN_MS = 120_000;
const SIGKILL = 9;

export function processAdder(containerd: Containerd): AddProcess {
  const { tasks } = containerd;
  return async ({ containerId, id, command, tty, pipes }, signal) => {
    const which = { containerId, execId: id };
    const patience = { deadlineMs: WITHIN_MS };
    const spec = await processOf(containerd, containerId, signal);
    const remove = async () => {
      await unlessGone(perform(containerd, tasks.DeleteProcess, which, patience));
    };
    await perform(
      containerd,
      tasks.Exec,
      {
        ...which,
        ...pipes,
        terminal: tty,
        spec: { type_url: PROCESS_TYPE, value: processFor(spec, command, tty) },
      },
      { ...patience, signal },
    );
    try {
      await perform(containerd, tasks.Start, which, { ...patience, signal });
    } catch (error) {
      // Why it could not be started says more than that nothing is left of it to remove.
      await remove().catch(() => undefined);
      throw error;
    }
    return {
      exited: async (until) => {
        const forLong = { deadlineMs: Infinity, signal: until };
        return (await perform(containerd, tasks.Wait, which, forLong)).exitStatus;
      },
      closeInput: async () => {
        await unlessGone(perform(containerd, tasks.CloseIO, { ...which, stdin: true }, patience));
      },
      resize: async (size) => {
        await unlessGone(perform(containerd, tasks.ResizePty, { ...which, ...size }, patience));
      },
      kill: async () => {
        await unlessGone(perform(containerd, tasks.Kill, { ...which, signal: SIGKILL }, patience));
      },
      remove,
    };
  };
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

async function unlessGone(answer: Promise<unknown>): Promise<void> {
  try {
    await answer;
  } catch (error) {
    if (!isCallError(error, 'not-found')) throw error;
  }
}
