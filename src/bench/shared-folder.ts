/**
 * The folder that a pod and the benchmark share: how the pod is triggered, and the two times that
 * are measured. They are the kernel's, of the files that the pod makes; when we hear of them does
 * not matter.
 *
 * Read next: scenario.ts, what the pod does with it.
 */
import fs from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { RepriseError } from '../errors.ts';
import { files } from './scenario.ts';

/** The two ends of one restart, in milliseconds since 1970 with a fraction. */
export interface Acts {
  /** The trigger's last act. */
  readonly lastActAt: number;
  /** The first act of the app container that came last. */
  readonly firstActAt: number;
}

/** How long a pod may take to come up, or back. */
const COMES_BACK_WITHIN_MS = 120_000;

export class SharedFolder {
  readonly directory: string;
  readonly #firstActs: readonly string[];

  private constructor(directory: string, apps: readonly string[]) {
    this.directory = directory;
    this.#firstActs = apps.map(files.firstActOf);
  }

  /** Makes the folder, for a pod with these app containers. */
  static async make(directory: string, apps: readonly string[]): Promise<SharedFolder> {
    await mkdir(directory, { recursive: true });
    await execa('mkfifo', ['--', path.join(directory, files.fire)]);
    return new SharedFolder(directory, apps);
  }

  /** Waits until the pod is up and its trigger waits to be fired, and forgets what it did so far. */
  async arm(signal: AbortSignal): Promise<Armed> {
    await this.#untilAllThere(this.#firstActs, signal);
    using stack = new DisposableStack();
    const fire = stack.adopt(await this.#openFifo(signal), fs.closeSync);
    for (const name of [files.lastAct, ...this.#firstActs]) {
      await rm(path.join(this.directory, name), { force: true });
    }
    const held = stack.move();
    return {
      fire: () => {
        fs.writeSync(fire, '\n');
        // Or the trigger of the next run would find it open, and its end would be its line.
        held.dispose();
      },
      outcome: (until) => this.#outcome(until),
      [Symbol.dispose]: () => held.dispose(),
    };
  }

  async #outcome(signal: AbortSignal): Promise<Acts> {
    await this.#untilAllThere([files.lastAct, ...this.#firstActs], signal);
    const [lastActAt = 0, ...firstActsAt] = await Promise.all(
      [files.lastAct, ...this.#firstActs].map((name) => madeAt(path.join(this.directory, name))),
    );
    return { lastActAt, firstActAt: Math.max(...firstActsAt) };
  }

  /** The end for writing can only be opened once somebody has opened the one for reading. */
  async #openFifo(signal: AbortSignal): Promise<number> {
    const fifo = path.join(this.directory, files.fire);
    const deadline = performance.now() + COMES_BACK_WITHIN_MS;
    for (;;) {
      try {
        return fs.openSync(fifo, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
      }
      if (performance.now() > deadline) throw this.#lost('its trigger does not wait');
      await delay(5, undefined, { signal });
    }
  }

  async #untilAllThere(names: readonly string[], signal: AbortSignal): Promise<void> {
    const limit = AbortSignal.timeout(COMES_BACK_WITHIN_MS);
    const over = AbortSignal.any([signal, limit]);
    const missing = () => names.filter((name) => !fs.existsSync(path.join(this.directory, name)));
    // Closed by the signal; watching begins before the first look, so that nothing falls between.
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const look = () => {
      if (missing().length === 0 || over.aborted) resolve(undefined);
    };
    const watcher = fs.watch(this.directory, look);
    watcher.on('error', look);
    over.addEventListener('abort', look, { once: true });
    try {
      look();
      await promise;
    } finally {
      over.removeEventListener('abort', look);
      watcher.close();
    }
    signal.throwIfAborted();
    if (missing().length > 0) throw this.#lost(`it has not made ${missing().join(', ')}`);
  }

  #lost(why: string): RepriseError {
    return new RepriseError(
      `a pod has not come up within ${COMES_BACK_WITHIN_MS / 1000} s: ${why}`,
      {
        where: this.directory,
        next: 'look at the load of the machine and at the log of containerd; try fewer --pods',
      },
    );
  }
}

/** A pod that waits for its trigger to be fired; once. */
export interface Armed extends Disposable {
  readonly fire: () => void;
  /** Resolves when every app container has acted. */
  readonly outcome: (signal: AbortSignal) => Promise<Acts>;
}

async function madeAt(file: string): Promise<number> {
  const { mtimeNs } = await stat(file, { bigint: true });
  return Number(mtimeNs) / 1e6;
}
