/**
 * Ctrl-C and SIGTERM as a sequence of requests: the first asks politely, the next insists.
 */

export type Interrupt = 'SIGINT' | 'SIGTERM';

export interface Interrupts extends Disposable {
  /** The one that came first; undefined while there was none. */
  first(): Interrupt | undefined;
  /** Calls back for each, those that came before included, with how many there have been. */
  onEach(listener: (interrupt: Interrupt, count: number) => void): void;
}

/** Exit codes that shells expect of a program ended by these signals. */
export const interruptExitCode: Readonly<Record<Interrupt, number>> = { SIGINT: 130, SIGTERM: 143 };

/** From now on these signals do not end the process by themselves. */
export function catchInterrupts(): Interrupts {
  const came: Interrupt[] = [];
  const listeners: ((interrupt: Interrupt, count: number) => void)[] = [];
  const handler = (interrupt: Interrupt): void => {
    came.push(interrupt);
    for (const listener of listeners) listener(interrupt, came.length);
  };
  process.on('SIGINT', handler);
  process.on('SIGTERM', handler);
  return {
    first: () => came[0],
    onEach(listener) {
      for (const [index, interrupt] of came.entries()) listener(interrupt, index + 1);
      listeners.push(listener);
    },
    [Symbol.dispose]() {
      process.off('SIGINT', handler);
      process.off('SIGTERM', handler);
    },
  };
}
