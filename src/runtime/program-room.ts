/**
 * Room for the strings that a program is started with. The kernel has limits for them, and says no more
 * than `argument list too long`; here it is said which string is too much. They also bound what a few
 * lines of a manifest multiply by `$(VAR)`.
 */
import { ContainerConfigError } from './config-error.ts';

/** MAX_ARG_STRLEN (include/uapi/linux/binfmts.h) with pages of 4 KiB, without the NUL at the end. */
export const longestString = 32 * 4096 - 1;

/** Three quarters of _STK_LIM: no stack is large enough for more (bprm_stack_limits in fs/exec.c). */
const mostBytes = 6 * 2 ** 20;

/** A NUL at the end, and a pointer. */
const bytesBeside = 1 + 8;

const next = 'make it shorter, or mount a volume with a file that holds it';

/** What is left for the strings of one program. Those that replace others count as well. */
export class ProgramRoom {
  #left = mostBytes;

  /** Takes the room of one string; throws a ContainerConfigError, which says what it is, if it does not fit. */
  take(what: string, text: string): void {
    const bytes = Buffer.byteLength(text);
    if (bytes > longestString) throw stringTooLong(what);
    this.#left -= bytes + bytesBeside;
    if (this.#left >= 0) return;
    throw new ContainerConfigError(
      `${what} is too much: environment, command and args have more than ${mostBytes} bytes, which no program can be started with: pass some in a file`,
      { next },
    );
  }

  /** Takes the room of variables. */
  takeAll(environment: ReadonlyMap<string, string>): void {
    for (const [name, value] of environment) this.takeVariable(name, value);
  }

  /** Takes the room of one variable. */
  takeVariable(name: string, value: string): void {
    this.take(`variable "${name}" with its name`, `${name}=${value}`);
  }
}

/** A string that no program can be started with. */
export function stringTooLong(what: string): ContainerConfigError {
  return new ContainerConfigError(
    `${what} has more than ${longestString} bytes, which no program can be started with: pass it in a file`,
    { next },
  );
}
