/**
 * Watches over the devices of a node: specifications that change and what the kernel log says at once,
 * nodes that come and go and what nvidia-smi says every now and then. Folders of nodes are not watched:
 * /dev would tell of everything that anybody writes to a device.
 *
 * What an Xid has condemned stays so until the agent is started again: a query that goes well proves
 * little, somebody has to have looked. Everything else heals by itself.
 */
import fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { faultInRow, isAbout, parseXid } from '../../devices/health.ts';
import { gpuUuidOf } from '../../devices/inventory.ts';
import { followKernelLog } from '../../host/devices/kernel-log.ts';
import type { NvidiaSmi } from '../../host/devices/nvidia-smi.ts';
import { NvidiaSmiError } from '../../host/devices/nvidia-smi.ts';
import type { Logger } from '../../log.ts';
import type { DeviceKeeper } from './keeper.ts';

export interface WatchParts {
  readonly keeper: DeviceKeeper;
  readonly smi: NvidiaSmi;
  /** /dev/kmsg */
  readonly kernelLog: string;
  /** Folders whose files are CDI specifications. */
  readonly cdiSpecDirs: readonly string[];
  /** How often everything is looked at. */
  readonly periodMs: number;
  readonly log: Logger;
}

/** Files that are replaced make several events each. */
const SETTLE_MS = 50;

/** Resolves after the first look; goes on until the signal, and `ended` resolves then. */
export async function watchDevices(
  parts: WatchParts,
  signal: AbortSignal,
): Promise<{ readonly ended: Promise<unknown> }> {
  const health = new Health(parts);
  await health.ask(signal);
  return {
    ended: Promise.all([
      lookAgainAndAgain(parts, health, signal),
      hearKernel(parts, health, signal),
    ]),
  };
}

async function lookAgainAndAgain(
  { keeper, cdiSpecDirs, periodMs, log }: WatchParts,
  health: Health,
  signal: AbortSignal,
): Promise<void> {
  const folders = new FolderWatch(() => keeper.look());
  try {
    while (!signal.aborted) {
      folders.watch(cdiSpecDirs);
      await delay(periodMs, undefined, { signal, ref: false }).catch(() => undefined);
      keeper.look();
      await health.ask(signal);
    }
  } catch (error) {
    if (!signal.aborted) log.error({ err: error }, 'devices are not watched any more');
  } finally {
    folders.close();
  }
}

/** Begun before there are GPUs: their driver may be loaded at any time. */
async function hearKernel(
  { keeper, kernelLog, periodMs, log }: WatchParts,
  health: Health,
  signal: AbortSignal,
): Promise<void> {
  let isTold = false;
  while (!signal.aborted) {
    try {
      for await (const line of followKernelLog(kernelLog, signal)) await health.hear(line);
    } catch (error) {
      // Without GPUs nobody misses it.
      if (!isTold && keeper.inventory.gpus.length > 0) {
        isTold = true;
        const words = 'Xid messages cannot be read from the kernel log; trying again';
        log.warn({ err: error, file: kernelLog }, words);
      }
    }
    await delay(periodMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

/** What is known to be wrong with GPUs, from both sources. */
class Health {
  readonly #parts: WatchParts;
  readonly #xids = new Map<string, string>();
  #asked: ReadonlyMap<string, string> = new Map();
  #complaint = '';

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  async ask(signal: AbortSignal): Promise<void> {
    const { keeper, smi, log } = this.#parts;
    const uuids = new Set(keeper.inventory.devices.flatMap((device) => gpuUuidOf(device) ?? []));
    if (uuids.size === 0) return;
    try {
      const rows = await smi.health(signal);
      const byUuid = new Map(rows.map((row) => [row.get('uuid'), faultInRow(row)]));
      this.#asked = faultsOf(uuids, (uuid) =>
        byUuid.has(uuid) ? byUuid.get(uuid) : 'nvidia-smi does not list it',
      );
      this.#complaint = '';
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof NvidiaSmiError)) throw error;
      if (error.message !== this.#complaint) log.warn({ err: error }, error.message);
      this.#complaint = error.message;
      // What was known to be wrong does not become right by not being asked about.
      if (error.isAboutDevices) this.#asked = faultsOf(uuids, () => error.message);
    }
    this.#report();
  }

  async hear(line: string): Promise<void> {
    const { keeper, log } = this.#parts;
    const xid = parseXid(line);
    if (xid === undefined) return;
    const find = () => keeper.inventory.gpus.find(({ busId }) => isAbout(xid, busId));
    // Its driver may have been loaded a moment ago.
    if (find() === undefined) await keeper.askDriver();
    const gpu = find();
    if (gpu === undefined) return;
    const words = `Xid ${xid.number}${xid.text === '' ? '' : `: ${xid.text}`}`;
    log.warn({ gpu: gpu.uuid, bus: gpu.busId }, words);
    keeper.tellUsers(gpu.uuid, {
      type: 'Warning',
      reason: 'Xid',
      message: `${gpu.uuid} at ${gpu.busId}: ${words}`,
    });
    if (xid.isOfApplication) return;
    this.#xids.set(gpu.uuid, words);
    this.#report();
  }

  #report(): void {
    this.#parts.keeper.report(new Map([...this.#asked, ...this.#xids]));
  }
}

function faultsOf(
  uuids: ReadonlySet<string>,
  faultOf: (uuid: string) => string | undefined,
): ReadonlyMap<string, string> {
  return new Map(
    [...uuids].flatMap((uuid): [string, string][] => {
      const fault = faultOf(uuid);
      return fault === undefined ? [] : [[uuid, fault]];
    }),
  );
}

/** Tells of changes in folders; those that are not there are tried again with the next call. */
class FolderWatch {
  readonly #onChange: () => void;
  readonly #watchers = new Map<string, fs.FSWatcher>();
  #timer: NodeJS.Timeout | undefined;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  watch(folders: readonly string[]): void {
    for (const folder of folders) {
      if (this.#watchers.has(folder) || !fs.existsSync(folder)) continue;
      // A limit of the kernel, or a folder that went away: the look now and then is enough.
      const forget = (): void => void this.#watchers.delete(folder);
      try {
        const watcher = fs.watch(folder, { persistent: false }, () => this.#changed());
        watcher.on('error', forget);
        this.#watchers.set(folder, watcher);
      } catch {
        forget();
      }
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
  }

  #changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#onChange();
    }, SETTLE_MS);
  }
}
