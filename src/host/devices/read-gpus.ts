/** What the NVIDIA driver tells in /proc: a folder for each GPU, and one for what it is cut into. */
import fs from 'node:fs';
import path from 'node:path';
import { parseGpu } from '../../devices/nvidia.ts';
import type { Gpu } from '../../devices/nvidia.ts';
import { isErrno } from '../errno.ts';

/** Every GPU of the driver whose tree that is; none without a driver. */
export function readGpus(driverDirectory: string): readonly Gpu[] {
  const folder = path.join(driverDirectory, 'gpus');
  return namesIn(folder).flatMap((busId) => {
    const text = textOf(path.join(folder, busId, 'information'));
    const minor = /^Device Minor:\s*(\d+)/m.exec(text)?.[1] ?? '';
    const slices = path.join(driverDirectory, 'capabilities', `gpu${minor}`, 'mig');
    const isSliced = namesIn(slices).some((name) => name.startsWith('gi'));
    return parseGpu(busId, text, isSliced) ?? [];
  });
}

/** The driver's version, e.g. `570.86.15`; absent without a driver. */
export function driverVersion(driverDirectory: string): string | undefined {
  return /\s(\d+\.\d+(?:\.\d+)?)\s/.exec(textOf(path.join(driverDirectory, 'version')))?.[1];
}

function namesIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder).toSorted();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

function textOf(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    // A GPU that falls off the bus takes its files along, or makes reading them fail.
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ENODEV', 'EIO')) return '';
    throw error;
  }
}
