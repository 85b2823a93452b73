/** `reprise run` in the foreground, heard line by line while it runs. */
import type { V1Pod } from '../src/pod/pod-status.ts';
import type { Place } from './node.ts';
import { PATIENCE_MS, timeScale } from './pace.ts';

export interface Ended {
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
}

export interface Foreground {
  /** Resolves with the first line, said already or yet to come, that the pattern matches. */
  hears(pattern: RegExp): Promise<string>;
  /** Waits until the pod is as described; meant to be used while `run` is to go on. */
  podThat(name: string, is: string, holds: (pod: V1Pod) => boolean): Promise<V1Pod>;
  send(signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): void;
  /** Waits until it has ended. */
  end(): Promise<Ended>;
}

/** Starts `reprise run` with these arguments. */
export function foreground(place: Place, ...args: readonly string[]): Foreground {
  const run = place.reprise(['run', ...args]);
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  const reading = (async () => {
    for await (const line of run.iterable({ from: 'all' })) {
      lines.push(line);
      for (const listen of listeners) listen();
    }
  })();

  return {
    async hears(pattern) {
      const heard = Promise.withResolvers<string>();
      const listen = (): void => {
        const found = lines.find((line) => pattern.test(line));
        if (found !== undefined) heard.resolve(found);
      };
      listeners.add(listen);
      listen();
      const over = reading.then(() => Promise.reject(new Error('run has ended')));
      over.catch(() => undefined);
      try {
        return await inTime(Promise.race([heard.promise, over]), `run says ${String(pattern)}`);
      } finally {
        listeners.delete(listen);
      }
    },
    async podThat(name, is, holds) {
      // From then on it answers at its socket.
      await this.hears(/^[\d:.]+ +\(pod\) +\S+, uid /);
      return await place.podThat(name, is, holds);
    },
    send: (signal) => void run.kill(signal),
    async end() {
      await inTime(reading, 'run ends');
      const { exitCode, stdout, stderr } = await run;
      return { code: exitCode, out: stdout, err: stderr };
    },
  };

  async function inTime<T>(waited: Promise<T>, what: string): Promise<T> {
    const late = Promise.withResolvers<never>();
    const expire = (): void => late.reject(new Error('it takes too long'));
    const timer = setTimeout(expire, PATIENCE_MS * timeScale);
    try {
      return await Promise.race([waited, late.promise]);
    } catch (error) {
      throw new Error(`waited in vain until ${what}; it said:\n${lines.join('\n')}`, {
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }
}
