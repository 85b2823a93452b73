/** GPUs and other devices: what there is, what defines it, and what is wrong with it. */
import fs from 'node:fs/promises';
import { faultInRow } from '../devices/health.ts';
import { gpuUuidOf } from '../devices/inventory.ts';
import type { Device } from '../devices/inventory.ts';
import { leftOut, wayOf } from '../devices/grant.ts';
import { gpuKind } from '../devices/nvidia.ts';
import { messageOf } from '../errors.ts';
import { discover, missingNode } from '../host/devices/discover.ts';
import type { DeviceRoots, Inventory } from '../host/devices/discover.ts';
import { NvidiaSmi, NvidiaSmiError } from '../host/devices/nvidia-smi.ts';
import { driverVersion, GpuReader } from '../host/devices/read-gpus.ts';
import type { RuntimeDeviceWays } from '../runtime/device-ways.ts';
import { ok, warn } from './finding.ts';
import type { Finding } from './finding.ts';
import { inTime, NoAnswer } from './in-time.ts';

export interface DeviceChecks {
  readonly roots: DeviceRoots;
  readonly nvidiaSmi: string;
  readonly kernelLog: string;
  /** Absent: containerd could not be asked. */
  readonly ways?: RuntimeDeviceWays;
}

/** It gives up one hanging nvidia-smi by itself, but may have to ask several times. */
const SMI_WITHIN_MS = 30_000;

const silentDriver = warn(
  'NVIDIA GPUs',
  'the driver does not answer when it is asked for its GPUs',
  'a GPU may hang: see dmesg and docs/gpu.md; until it answers pods get none of them',
);

export async function checkDevices(
  checks: DeviceChecks,
  smiWithinMs = SMI_WITHIN_MS,
): Promise<readonly Finding[]> {
  const gpus = new GpuReader(checks.roots.driverDirectory);
  await gpus.refresh();
  const inventory = discover(checks.roots, gpus.known);
  return [
    ...specifications(checks, inventory),
    ...(gpus.isSilent ? [silentDriver] : []),
    ...(await nvidia(checks, inventory, smiWithinMs)),
    ...inventory.devices.map((device) => oneDevice(device, checks)),
  ];
}

function specifications({ roots, ways }: DeviceChecks, inventory: Inventory): readonly Finding[] {
  const places = roots.cdiSpecDirs.join(', ');
  const files = new Set(inventory.devices.flatMap(({ file }) => file ?? []));
  const differs =
    ways?.cdiSpecDirs !== undefined && ways.cdiSpecDirs.join() !== roots.cdiSpecDirs.join();
  return [
    files.size === 0
      ? ok('CDI specifications', `none in ${places}`)
      : ok('CDI specifications', [...files].join(', ')),
    ...(differs
      ? [
          warn(
            'CDI directories',
            `containerd reads ${ways.cdiSpecDirs.join(', ')}, reprise ${places}`,
            'leave --cdi-spec-dirs out, so that containerd applies the specifications, hooks included',
          ),
        ]
      : []),
    ...inventory.faults.map(({ message, where = '?', next = '' }) =>
      warn(`CDI specification ${where}`, message, next),
    ),
  ];
}

async function nvidia(
  checks: DeviceChecks,
  { gpus, devices }: Inventory,
  smiWithinMs: number,
): Promise<readonly Finding[]> {
  const version = driverVersion(checks.roots.driverDirectory);
  const own = devices.filter(({ kind }) => kind === gpuKind);
  if (version === undefined && gpus.length === 0 && own.length === 0) {
    return [ok('NVIDIA', 'no driver and no GPU of NVIDIA')];
  }
  return [
    version === undefined
      ? warn('NVIDIA driver', 'not loaded', 'load it (modprobe nvidia), then run nvidia-smi')
      : ok('NVIDIA driver', version),
    own.some(({ file }) => file !== undefined)
      ? ok('NVIDIA libraries', 'come with the CDI specification')
      : warn(
          'NVIDIA libraries',
          'no CDI specification for nvidia.com/gpu: containers get nodes alone',
          'nvidia-ctk cdi generate --output=/var/run/cdi/nvidia.yaml, or runtimeClassName: nvidia',
        ),
    ...gpus
      .filter(({ isSliced }) => isSliced && !own.some(({ file }) => file !== undefined))
      .map(({ uuid }) =>
        warn(
          `GPU ${uuid}`,
          'is cut into MIG slices',
          'make a CDI specification: nvidia-ctk cdi generate',
        ),
      ),
    await smi(checks, own, smiWithinMs),
    await kernelLog(checks.kernelLog),
  ];
}

async function smi(
  { nvidiaSmi }: DeviceChecks,
  gpus: readonly Device[],
  withinMs: number,
): Promise<Finding> {
  try {
    const rows = await inTime(withinMs, (signal) => new NvidiaSmi(nvidiaSmi).health(signal));
    const faults = rows.flatMap((row) => {
      const fault = faultInRow(row);
      return fault === undefined ? [] : [`${row.get('uuid') ?? '?'}: ${fault}`];
    });
    const missing = gpus
      .map(gpuUuidOf)
      .filter((uuid) => uuid !== undefined && !rows.some((row) => row.get('uuid') === uuid))
      .map((uuid) => `${uuid}: nvidia-smi does not list it`);
    const all = [...faults, ...new Set(missing)];
    return all.length === 0
      ? ok('nvidia-smi', `${rows.length} GPUs, all healthy`)
      : warn(
          'nvidia-smi',
          all.join('; '),
          'reset or replace the GPU; no pod is given it meanwhile',
        );
  } catch (error) {
    if (error instanceof NoAnswer) {
      return warn('nvidia-smi', error.message, 'run it by hand; a GPU may hang: see docs/gpu.md');
    }
    if (!(error instanceof NvidiaSmiError)) throw error;
    const next =
      'without it the health of GPUs is not known: install it, or name it by --nvidia-smi';
    return warn('nvidia-smi', error.message, error.isAboutDevices ? (error.next ?? next) : next);
  }
}

async function kernelLog(file: string): Promise<Finding> {
  try {
    await (await fs.open(file)).close();
    return ok('kernel log', `${file} can be read: Xid messages are heard`);
  } catch (error) {
    const next = 'give the agent CAP_SYSLOG; until then an Xid is not noticed';
    return warn('kernel log', messageOf(error), next);
  }
}

function oneDevice(device: Device, { ways, roots }: DeviceChecks): Finding {
  const subject = `device ${device.id}`;
  const missing = missingNode(device);
  if (missing !== undefined) {
    return warn(
      subject,
      `its node ${missing} is gone`,
      'load its driver, or correct its specification',
    );
  }
  const isByUs = ways !== undefined && wayOf(device, '', ways, roots.cdiSpecDirs) === 'edits';
  const lost = isByUs ? leftOut([device]) : undefined;
  const names = device.names.slice(1).join(', ');
  const what = `${device.nodes.join(', ') || 'without nodes'}${names === '' ? '' : `; also ${names}`}`;
  return lost === undefined
    ? ok(subject, what)
    : warn(
        subject,
        `${what}; left out, as this containerd does not apply CDI: ${lost}`,
        'use containerd 1.7 with enable_cdi, or 2.0, or for NVIDIA runtimeClassName: nvidia',
      );
}
