/**
 * Ctrl-C, SIGTERM and the loss of the terminal as a sequence of requests: the first asks politely, the
 * next insists.
 */
import { isatty } from 'node:tty';

export type Interrupt = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

export interface Interrupts extends Disposable {
  /** The one that came first; undefined while there was none. */
  first(): Interrupt | undefined;
  /** Calls back for each, those that came before included, with how many there have been. */
  onEach(listener: (interrupt: Interrupt, count: number) => void): void;
}

/** Exit codes that shells expect of a program ended by these signals. */
export const interruptExitCode: Readonly<Record<Interrupt, number>> = {
  SIGINT: 130,
  SIGTERM: 143,
  SIGHUP: 129,
};

const signals: readonly Interrupt[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * From now on these signals do not end the process by themselves.
 *
 * Node.js takes back at its start that `nohup` ignores SIGHUP, and does not tell of it; but `nohup`
 * leaves no terminal to read from or write to. What has none has nothing to lose with it, and goes on.
 *
 * A lost terminal never insists: the kernel, the shell and sudo may each tell of it.
 */
export function catchInterrupts(isMeantToStay = ![0, 1, 2].some((fd) => isatty(fd))): Interrupts {
  const came: Interrupt[] = [];
  const listeners: ((interrupt: Interrupt, count: number) => void)[] = [];
  const handler = (interrupt: Interrupt): void => {
    if (interrupt === 'SIGHUP' && (isMeantToStay || came.length > 0)) return;
    came.push(interrupt);
    for (const listener of listeners) listener(interrupt, came.length);
  };
  for (const signal of signals) process.on(signal, handler);
  return {
    first: () => came[0],
    onEach(listener) {
      for (const [index, interrupt] of came.entries()) listener(interrupt, index + 1);
      listeners.push(listener);
    },
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, handler);
    },
  };
}
