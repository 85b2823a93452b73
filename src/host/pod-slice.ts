/**
 * A pod's slice where systemd makes the cgroups: started with the limits of the pod as a whole, and
 * stopped in the end. Nobody but systemd may write to that part of the tree, so it is asked, over
 * D-Bus, as runc and crun ask it for the scopes of containers.
 *
 * Its parents (`kubepods.slice`) are systemd's too: it makes them with the first pod, and they stay,
 * as under the kubelet. Stopping one would end pods of somebody else. They get their share of the
 * processors here: see qos-shares.ts.
 */
import path from 'node:path';
import { execa } from 'execa';
import { cpuWeightOf } from '../pod/cpu-shares.ts';
import { CgroupError } from './cgroups.ts';
import type { PodCgroupValues } from './pod-cgroup.ts';

const MANAGER = [
  'org.freedesktop.systemd1',
  '/org/freedesktop/systemd1',
  'org.freedesktop.systemd1.Manager',
] as const;

/** Starts the slice with these limits; one that runs already gets them. */
export async function startSlice(
  cgroup: string,
  values: PodCgroupValues,
  version: 1 | 2,
): Promise<void> {
  const slice = path.posix.basename(cgroup);
  const properties = sliceProperties(values, version);
  const started = await call('StartTransientUnit', 'ssa(sv)a(sa(sv))', [
    ...[slice, 'fail'],
    ...inBusWords([
      ['Description', 's', `reprise: ${slice}`],
      // Without ordering against what only matters at boot, as runc does it.
      ['DefaultDependencies', 'b', 'false'],
      ...properties,
    ]),
    '0',
  ]);
  if (started === undefined) return;
  const changed = /already (exists|loaded)/.test(started)
    ? await call('SetUnitProperties', 'sba(sv)', [slice, 'true', ...inBusWords(properties)])
    : started;
  if (changed === undefined) return;
  throw new CgroupError(`systemd did not start the pod's slice: ${changed}`, {
    where: slice,
    next: 'see whether systemd and dbus run: "systemctl status dbus"',
  });
}

/** Stops the slice; one that does not exist is fine. */
export async function stopSlice(cgroup: string): Promise<void> {
  const slice = path.posix.basename(cgroup);
  const { exitCode, stderr } = await execa('systemctl', ['stop', '--', slice], { reject: false });
  // 5: systemd knows no such unit, so there is nothing to stop.
  if (exitCode === 0 || exitCode === 5) return;
  throw new CgroupError(`systemd did not stop the pod's slice: ${stderr}`, {
    where: slice,
    next: `see "systemctl status ${slice}"`,
  });
}

/** Gives a slice its share of the processors, until the machine is started anew. */
export async function setSliceShares(
  cgroup: string,
  shares: number,
  version: 1 | 2,
): Promise<void> {
  const args = setShares(cgroup, shares, version);
  const { failed, stderr, shortMessage } = await execa('systemctl', args, { reject: false });
  if (!failed) return;
  throw new CgroupError(`systemd did not change a slice: ${stderr || shortMessage}`, {
    where: path.posix.basename(cgroup),
    next: 'nothing: pods have their own shares, and it is tried again with the next pod',
  });
}

/** What systemctl is told for it. */
export function setShares(cgroup: string, shares: number, version: 1 | 2): readonly string[] {
  const property = version === 2 ? `CPUWeight=${cpuWeightOf(shares)}` : `CPUShares=${shares}`;
  return ['set-property', '--runtime', '--', path.posix.basename(cgroup), property];
}

/** Name, D-Bus signature and value of a property of a unit. */
export type Property = readonly [name: string, signature: string, value: string];

/**
 * The limits in systemd's words. What is not limited is said too: it may have been before. It has no
 * words for huge pages: see pod-cgroup.ts.
 */
export function sliceProperties(values: PodCgroupValues, version: 1 | 2): readonly Property[] {
  const { cpuShares, cpuQuota, memoryBytes, pids } = values;
  const unlimited = String(2n ** 64n - 1n);
  // Time on a processor per second of the clock; a whole number of percent, or systemd rounds it.
  const quota =
    cpuQuota && Math.ceil((cpuQuota.quotaUs * 100) / cpuQuota.periodUs) * (1_000_000 / 100);
  const memory = memoryBytes === undefined ? unlimited : String(memoryBytes);
  return [
    version === 2
      ? ['CPUWeight', 't', String(cpuWeightOf(cpuShares))]
      : ['CPUShares', 't', String(cpuShares)],
    ['CPUQuotaPerSecUSec', 't', quota === undefined ? unlimited : String(quota)],
    version === 2 ? ['MemoryMax', 't', memory] : ['MemoryLimit', 't', memory],
    ['TasksMax', 't', pids === undefined ? unlimited : String(pids)],
  ];
}

function inBusWords(properties: readonly Property[]): string[] {
  return [String(properties.length), ...properties.flat()];
}

/** What went wrong; undefined if nothing did. */
async function call(
  method: string,
  signature: string,
  args: readonly string[],
): Promise<string | undefined> {
  const { failed, stderr, shortMessage } = await execa(
    'busctl',
    ['call', '--system', '--quiet', '--', ...MANAGER, method, signature, ...args],
    { reject: false, env: { LC_ALL: 'C.UTF-8' } },
  );
  return failed ? stderr || shortMessage : undefined;
}
