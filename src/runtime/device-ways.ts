/**
 * What this containerd can do about devices. It is read from its effective configuration and never taken
 * for granted: where CDI is off, a container that asks for it starts without a word and without devices.
 */
import { basename } from 'node:path';
import type { Cri } from './cri.ts';

/** What containerd's configuration says about devices. */
export interface RuntimeDeviceWays {
  /** Where it reads CDI specifications, in rising precedence; absent: CDI is off or unknown to it. */
  readonly cdiSpecDirs?: readonly string[];
  /** Runtime handlers whose program is NVIDIA's container runtime; an empty name is the default one's. */
  readonly nvidiaHandlers: ReadonlySet<string>;
}

export async function findDeviceWays(cri: Cri, signal: AbortSignal): Promise<RuntimeDeviceWays> {
  const { info } = await cri.status(signal);
  return deviceWaysIn(JSON.parse(info.config ?? '{}'));
}

/** Reads containerd's own view of its configuration, as `Status(verbose)` gives it. */
export function deviceWaysIn(config: unknown): RuntimeDeviceWays {
  const directories = inner(config, 'cdiSpecDirs');
  const isList = Array.isArray(directories) && directories.length > 0;
  // Releases to come have no such switch any more, and CDI is always on.
  const isOn = (inner(config, 'enableCDI') ?? isList) === true;
  const runtimes = inner(inner(config, 'containerd'), 'runtimes') ?? {};
  const handlers = Object.entries(runtimes).filter(([, runtime]) => isNvidias(runtime));
  const ofNvidia = handlers.map(([name]) => name);
  const byDefault = inner(inner(config, 'containerd'), 'defaultRuntimeName');
  return {
    ...(isOn && isList && { cdiSpecDirs: directories.map(String) }),
    nvidiaHandlers: new Set([...ofNvidia, ...(ofNvidia.includes(String(byDefault)) ? [''] : [])]),
  };
}

/** `nvidia-container-runtime`, and those of a mode: `nvidia-container-runtime.cdi`, `.legacy`. */
function isNvidias(runtime: unknown): boolean {
  const program = inner(inner(runtime, 'options'), 'BinaryName');
  return typeof program === 'string' && basename(program).startsWith('nvidia-container-runtime');
}

function inner(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
