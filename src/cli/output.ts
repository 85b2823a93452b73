/**
 * How things get onto the terminal.
 *
 * Texts that come from pods are shown without control characters: no container may move the
 * cursor or colour the screen of whoever looks at it.
 */
import { once } from 'node:events';
import { styleText } from 'node:util';

export type Style = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';

/** One line on standard output. */
export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One line beside the output: notes and errors. */
export function noteLine(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Raw output, no faster than it is read. */
export async function printRaw(bytes: Uint8Array): Promise<void> {
  await writeRaw(process.stdout, bytes);
}

/** The same for any stream. */
export async function writeRaw(stream: NodeJS.WritableStream, bytes: Uint8Array): Promise<void> {
  if (!stream.write(bytes)) await once(stream, 'drain');
}

/** In colour, if standard output is a terminal that wants it. */
export function inStyle(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** With every control character spelled out. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    if (character === '\n') return '\\n';
    if (character === '\t') return '\\t';
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
