/**
 * Cuts what is read of a log, block by block, into its entries. No byte is copied twice, and little
 * more than a megabyte is held: a longer entry is handed out in parts, as if the runtime had cut it,
 * which it does not with `max_container_log_line_size = -1`.
 */
import { longestLine, parseEntry } from './log-lines.ts';
import type { LogEntry } from './log-lines.ts';

const newline = 0x0a;

export class EntryCutter {
  /** What is there of an entry whose end is not. */
  #pieces: Buffer[] = [];
  #size = 0;
  /** The entry of which a part was handed out; `none`: a line that is no entry. */
  #begun: LogEntry | 'none' | undefined;

  /** The entries that end in a block, and parts of those that are long. The block has to stay as it is. */
  add(block: Buffer): LogEntry[] {
    const entries: (LogEntry | undefined)[] = [];
    let start = 0;
    for (let end = block.indexOf(newline); end !== -1; end = block.indexOf(newline, start)) {
      entries.push(this.#handOut(block.subarray(start, end), true));
      start = end + 1;
    }
    const rest = block.subarray(start);
    if (this.#size + rest.length > longestLine) entries.push(this.#handOut(rest, false));
    else this.#hold(rest);
    return entries.filter((entry) => entry !== undefined);
  }

  #hold(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#size += piece.length;
  }

  #handOut(last: Buffer, isEnd: boolean): LogEntry | undefined {
    const bytes = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last]);
    this.#pieces = [];
    this.#size = 0;
    const entry = this.#entryOf(bytes);
    this.#begun = isEnd ? undefined : (entry ?? 'none');
    return entry && { ...entry, isLast: isEnd && entry.isLast };
  }

  #entryOf(bytes: Buffer): LogEntry | undefined {
    if (this.#begun === undefined) return parseEntry(bytes);
    return this.#begun === 'none' ? undefined : { ...this.#begun, content: bytes };
  }
}
