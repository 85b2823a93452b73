/**
 * What the NVIDIA driver tells in /proc: a folder for each GPU, and one for what it is cut into. To list
 * them asks nobody; to read about one asks the driver, and one that hangs makes the reader hang. So another
 * process reads, and may be left behind.
 */
import fs from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { parseGpu } from '../../devices/nvidia.ts';
import type { Gpu } from '../../devices/nvidia.ts';
import { isErrno } from '../errno.ts';
import { DeviceError } from './device-error.ts';
import { HangError, Patience } from './patience.ts';

const TIMEOUT_MS = 5_000;
/** How long a reader that was killed may take to end before it counts as one that cannot be killed. */
const ENDS_WITHIN_MS = 1_000;

/** The GPUs of the driver whose tree that is, as they were when it last answered. */
export class GpuReader {
  readonly #driverDirectory: string;
  readonly #timeoutMs: number;
  readonly #patience: Patience;
  #waiting: Promise<boolean> | undefined;
  #known: readonly Gpu[] = [];
  #isSilent = false;

  constructor(driverDirectory: string, timeoutMs = TIMEOUT_MS) {
    this.#driverDirectory = driverDirectory;
    this.#timeoutMs = timeoutMs;
    this.#patience = new Patience(timeoutMs + ENDS_WITHIN_MS);
  }

  /** None without a driver, and before anybody has asked. */
  get known(): readonly Gpu[] {
    return this.#known;
  }

  /** The driver has not answered in time when it was last asked. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Asks the driver; whether something is different from before. Takes a limited time. */
  refresh(): Promise<boolean> {
    // Who asks while somebody waits for his turn has the same answer: nothing of it has been read.
    this.#waiting ??= this.#refresh();
    return this.#waiting;
  }

  async #refresh(): Promise<boolean> {
    const before = JSON.stringify([this.#known, this.#isSilent]);
    try {
      this.#known = await this.#patience.do(() => {
        this.#waiting = undefined;
        return this.#read();
      });
      this.#isSilent = false;
    } catch (error) {
      if (!(error instanceof HangError)) throw error;
      this.#waiting = undefined;
      this.#isSilent = true;
    }
    return before !== JSON.stringify([this.#known, this.#isSilent]);
  }

  async #read(): Promise<readonly Gpu[]> {
    const folder = path.join(this.#driverDirectory, 'gpus');
    const busIds = namesIn(folder);
    if (busIds.length === 0) return [];
    const fileOf = (busId: string): string => path.join(folder, busId, 'information');
    const lines = await this.#linesOf(busIds.map(fileOf));
    return busIds.flatMap((busId) => {
      const start = `${fileOf(busId)}:`;
      const own = lines.filter((line) => line.startsWith(start));
      const text = own.map((line) => line.slice(start.length)).join('\n');
      const minor = /^Device Minor:\s*(\d+)/m.exec(text)?.[1] ?? '';
      const slices = path.join(this.#driverDirectory, 'capabilities', `gpu${minor}`, 'mig');
      const isSliced = namesIn(slices).some((name) => name.startsWith('gi'));
      return parseGpu(busId, text, isSliced) ?? [];
    });
  }

  /** `FILE:LINE`. A GPU that falls off the bus takes its files along, or makes reading them fail. */
  async #linesOf(files: readonly string[]): Promise<readonly string[]> {
    const run = await execa('grep', ['-a', '-s', '-H', '', '--', ...files], {
      stdin: 'ignore',
      stderr: 'ignore',
      timeout: this.#timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: 1024 * 1024,
      reject: false,
    });
    if (run.timedOut) throw new HangError(true);
    // 1 and 2: nothing was found, or not all could be read.
    if (run.exitCode === undefined || run.exitCode > 2) {
      throw new DeviceError('what the NVIDIA driver tells of its GPUs could not be read', {
        where: this.#driverDirectory,
        next: 'see whether there is grep in PATH',
        cause: run,
      });
    }
    return run.stdout.split('\n');
  }
}

/** The driver's version, e.g. `570.86.15`; absent without a driver. It asks nobody. */
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
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ENODEV', 'EIO')) return '';
    throw error;
  }
}
