/**
 * Standard streams over one WebSocket, as Kubernetes has them: the first byte of each message says which
 * stream the rest is of.
 *
 * Source: remotecommand of k8s.io/apimachinery, protocols `v4.channel.k8s.io`, and `v5.channel.k8s.io`, in which
 * the input can end before the output.
 */
import type { ApiStatus } from './api-status.ts';
import type { TerminalSize } from './backend.ts';

/** The better one first. */
export const channelProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;

export const channels = {
  stdin: 0,
  stdout: 1,
  stderr: 2,
  /** How it ended, as a Status; nothing comes after it. */
  error: 3,
  /** The size of the terminal. */
  resize: 4,
  /** The next byte is a channel on which nothing more will come. */
  close: 255,
} as const;

/** How a process ended: with 0, with another code, or not at all. */
export type ExecStatus =
  | { readonly metadata: Readonly<Record<string, never>>; readonly status: 'Success' }
  | ApiStatus
  | ExitStatus;

interface ExitStatus {
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Failure';
  readonly message: string;
  readonly reason: 'NonZeroExitCode';
  readonly details: {
    readonly causes: readonly { readonly reason: string; readonly message: string }[];
  };
}

/** One message. */
export function inChannel(channel: number, bytes: Uint8Array | string): Buffer {
  return Buffer.concat([Buffer.of(channel), Buffer.from(bytes)]);
}

/** The Status of a process that has ended with this code. */
export function exitStatus(code: number): ExecStatus {
  if (code === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  };
}

/** The exit code that a Status tells; undefined if there was none. */
export function exitCodeIn(status: ExecStatus): number | undefined {
  if (status.status === 'Success') return 0;
  if (status.reason !== 'NonZeroExitCode') return undefined;
  const told = status.details.causes.find(({ reason }) => reason === 'ExitCode')?.message;
  return told !== undefined && /^\d{1,3}$/.test(told) ? Number(told) : undefined;
}

/** As it is told of a terminal. */
export function sizeMessage({ width, height }: TerminalSize): string {
  return JSON.stringify({ Width: width, Height: height });
}

/** The size in such a message; undefined if it tells of none. */
export function terminalSizeIn(payload: Buffer): TerminalSize | undefined {
  let told: unknown;
  try {
    told = JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
  const { Width: width, Height: height } = (told ?? {}) as Record<string, unknown>;
  return isSide(width) && isSide(height) ? { width, height } : undefined;
}

/** The kernel has 16 bits for each. */
function isSide(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535;
}
