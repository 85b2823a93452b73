/**
 * One look at the devices of the machine: CDI specifications, and GPUs that no specification has. Every
 * place to look in can be another one, so that all of it can be tried without a GPU.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { CdiSpecError } from '../../devices/cdi-spec.ts';
import { devicesOf, hostPathOf } from '../../devices/inventory.ts';
import type { Device } from '../../devices/inventory.ts';
import { controlNodes, gpuKind, specOfGpus } from '../../devices/nvidia.ts';
import type { Gpu } from '../../devices/nvidia.ts';
import { registryOf } from '../../devices/registry.ts';
import { readSpecs } from './read-specs.ts';

/** Where devices are looked for. */
export interface DeviceRoots {
  /** In rising precedence. */
  readonly cdiSpecDirs: readonly string[];
  /** Where nodes are that no specification tells of. */
  readonly devDirectory: string;
  /** /proc/driver/nvidia */
  readonly driverDirectory: string;
}

/** What a look finds. */
export interface Inventory {
  readonly devices: readonly Device[];
  readonly gpus: readonly Gpu[];
  /** What is wrong with specifications. */
  readonly faults: readonly CdiSpecError[];
}

/** `gpus`: as the driver tells of them; see read-gpus.ts. */
export function discover(roots: DeviceRoots, gpus: readonly Gpu[]): Inventory {
  const { specs, faults } = readSpecs(roots.cdiSpecDirs);
  const isDefined = specs.some(({ spec }) => spec.kind === gpuKind);
  const made = isDefined ? undefined : specOfKernel(gpus, roots);
  const all = made ? [...specs, { file: roots.driverDirectory, priority: -1, spec: made }] : specs;
  const registry = registryOf(all);
  const isFromKernel = (file: string): boolean => file === roots.driverDirectory;
  return {
    devices: devicesOf(registry.devices.values(), gpus, isFromKernel),
    gpus,
    faults: [...faults, ...registry.faults],
  };
}

function specOfKernel(gpus: readonly Gpu[], { devDirectory }: DeviceRoots) {
  const there = controlNodes.filter((name) => fs.existsSync(path.join(devDirectory, name)));
  return specOfGpus(gpus, there, devDirectory);
}

/** The first of a device's own nodes that is not there, unless it is made from its numbers. */
export function missingNode({ edits }: Device): string | undefined {
  return (edits.deviceNodes ?? [])
    .filter(({ type, major }) => type === undefined || major === undefined)
    .map(hostPathOf)
    .find((node) => !fs.existsSync(node));
}
