/**
 * Ctrl-C and SIGTERM as a sequence of requests: the first asks politely, the next insists.
 */

export interface Interrupts extends Disposable {
  /** Calls back for each signal, with how many there have been. */
  onEach(listener: (signal: 'SIGINT' | 'SIGTERM', count: number) => void): void;
}

/** Exit codes that shells expect of a program ended by these signals. */
export const interruptExitCode = { SIGINT: 130, SIGTERM: 143 } as const;

/** From now on these signals do not end the process by themselves. */
export function catchInterrupts(): Interrupts {
  let count = 0;
  const listeners: ((signal: 'SIGINT' | 'SIGTERM', count: number) => void)[] = [];
  const earlier: ('SIGINT' | 'SIGTERM')[] = [];
  const handler = (signal: 'SIGINT' | 'SIGTERM'): void => {
    count += 1;
    earlier.push(signal);
    for (const listener of listeners) listener(signal, count);
  };
  process.on('SIGINT', handler);
  process.on('SIGTERM', handler);
  return {
    onEach(listener) {
      // A signal that came before anybody cared is not lost.
      for (const [index, signal] of earlier.entries()) listener(signal, index + 1);
      listeners.push(listener);
    },
    [Symbol.dispose]() {
      process.off('SIGINT', handler);
      process.off('SIGTERM', handler);
    },
  };
}
