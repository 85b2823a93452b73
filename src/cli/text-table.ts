/**
 * Tables as kubectl prints them: capitals above, three spaces between.
 */
import type { Column } from '../api/table.ts';
import { visible } from './output.ts';

/** Columns of a table on the terminal; they only ever grow, so that later rows still line up. */
export class TextTable<T> {
  readonly #columns: readonly Column<T>[];
  readonly #widths: number[];

  constructor(columns: readonly Column<T>[], options: { wide: boolean }) {
    this.#columns = columns.filter(({ priority }) => priority === 0 || options.wide);
    this.#widths = this.#columns.map(({ name }) => name.length);
  }

  header(): string {
    return this.#pad(this.#columns.map(({ name }) => name.toUpperCase()));
  }

  /** Header, if wanted, and rows; the widths are those of the widest cell. */
  lines(objects: readonly T[], nowMs: number, options: { header: boolean }): readonly string[] {
    const rows = objects.map((object) => this.#cells(object, nowMs));
    for (const row of rows) this.#widen(row);
    return [...(options.header ? [this.header()] : []), ...rows.map((row) => this.#pad(row))];
  }

  #cells(object: T, nowMs: number): readonly string[] {
    return this.#columns.map(({ cell }) => visible(String(cell(object, nowMs))));
  }

  #widen(cells: readonly string[]): void {
    for (const [index, cell] of cells.entries()) {
      // The last column needs no room after it.
      if (index < cells.length - 1) {
        this.#widths[index] = Math.max(this.#widths[index] ?? 0, cell.length);
      }
    }
  }

  #pad(cells: readonly string[]): string {
    return cells
      .map((cell, index) =>
        index < cells.length - 1 ? cell.padEnd((this.#widths[index] ?? 0) + 3) : cell,
      )
      .join('');
  }
}
