/**
 * The lines of a CRI log: `<time> <stdout|stderr> <P|F> <content>`. A line of output that is longer
 * than the runtime's buffer is cut into parts tagged P, the last one F; here it is one line again.
 */

/** Output without any newline must not fill the memory: longer lines are given in parts. */
export const longestLine = 2 ** 20;

/** What an entry begins with has at most so many bytes. */
export const longestHead = 128;

/** One line of a container's output. */
export interface LogLine {
  /** RFC 3339 as the runtime wrote it, with 0 to 9 digits of a second's fraction. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** Without the newline; as the container has written it, whether that is text or not. */
  readonly content: Buffer;
  /** Set when no newline followed: the output ended here, or the line is longer than a megabyte. */
  readonly partial?: true;
}

/** What an entry begins with. */
interface LogHead {
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** Whether the line ends with it. */
  readonly isLast: boolean;
}

/** One entry of a log file, not joined yet. */
export interface LogEntry extends LogHead {
  /** Bytes, not text: a part may end in the middle of a character. */
  readonly content: Buffer;
}

/** Reads one entry, given without its newline; undefined when it is none (cut off by a power loss). */
export function parseEntry(line: Buffer): LogEntry | undefined {
  const found = parseHead(line);
  return found && { ...found.head, content: line.subarray(found.length) };
}

/** Reads what an entry begins with, whatever comes behind it, and how many bytes that takes. */
export function parseHead(
  bytes: Buffer,
): { readonly head: LogHead; readonly length: number } | undefined {
  // Latin 1 keeps one character per byte, so that its indexes are the buffer's.
  const text = bytes.subarray(0, longestHead).toString('latin1');
  const found = /^(\d{4}-\S+) (stdout|stderr) (\S+) /.exec(text);
  if (!found) return undefined;
  const [{ length }, time = '', stream, tags = ''] = found;
  const isLast = tags.split(':')[0] !== 'P';
  return { head: { time, stream: stream === 'stderr' ? 'stderr' : 'stdout', isLast }, length };
}

/** When an entry or line was written, in milliseconds since 1970. */
export function timeOf({ time }: { readonly time: string }): number {
  return Date.parse(time.replace(/(\.\d{3})\d+/, '$1'));
}

/** Puts the parts of long lines together, separately for each stream. */
export class LineJoiner {
  readonly #parts = new Map<
    LogEntry['stream'],
    { time: string; contents: Buffer[]; size: number }
  >();

  /** The line that this entry completes, if it does. */
  add({ time, stream, isLast, content }: LogEntry): LogLine | undefined {
    const begun = this.#parts.get(stream) ?? { time, contents: [], size: 0 };
    begun.contents.push(content);
    begun.size += content.length;
    if (!isLast && begun.size < longestLine) {
      this.#parts.set(stream, begun);
      return undefined;
    }
    this.#parts.delete(stream);
    const line = { time: begun.time, stream, content: Buffer.concat(begun.contents) };
    return isLast ? line : { ...line, partial: true };
  }

  /** Lines that were never ended. */
  rest(): readonly LogLine[] {
    const rest = [...this.#parts].map(([stream, { time, contents }]) => {
      return { time, stream, content: Buffer.concat(contents), partial: true as const };
    });
    this.#parts.clear();
    return rest;
  }
}
