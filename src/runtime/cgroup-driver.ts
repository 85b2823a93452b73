/** Who makes the cgroups of containers, as containerd is configured. */
import type { Cri } from './cri.ts';

/** The driver of the runtime that pods get by default: `systemd`, or containerd by itself. */
export async function findCgroupDriver(
  cri: Cri,
  signal: AbortSignal,
): Promise<'cgroupfs' | 'systemd'> {
  const told = await cri.cgroupDriver(signal);
  if (told !== undefined) return told === 'SYSTEMD' ? 'systemd' : 'cgroupfs';
  // Before 2.0 only the configuration tells.
  const { info } = await cri.status(signal);
  const config: unknown = JSON.parse(info.config ?? '{}');
  const runtimes = inner(inner(config, 'containerd'), 'runtimes');
  const name = inner(inner(config, 'containerd'), 'defaultRuntimeName');
  const options = inner(inner(runtimes, typeof name === 'string' ? name : 'runc'), 'options');
  return inner(options, 'SystemdCgroup') === true ? 'systemd' : 'cgroupfs';
}

function inner(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
