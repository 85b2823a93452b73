/**
 * What a benchmark has measured, printed and written: it took long, so one place that fails takes it
 * from no other one.
 */
import { access, constants, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BenchResult } from '../bench/bench.ts';
import { RepriseError, messageOf } from '../errors.ts';
import { isErrno } from '../host/errno.ts';
import { tryInTurn } from './several.ts';
import { UsageError } from './usage-error.ts';

/** Where the report goes. */
export interface ReportOptions {
  readonly output: 'text' | 'json';
  /** Files beside it. */
  readonly json?: string;
  readonly html?: string;
}

/** Better said before the measurement than after it. */
export async function requireWritable({ json, html }: ReportOptions): Promise<void> {
  for (const file of [json, html]) {
    if (file === undefined) continue;
    const found = await stat(file).catch(() => undefined);
    if (found?.isDirectory() === true) {
      throw new UsageError(`cannot write ${file}: it is a folder`, {
        where: path.resolve(file),
        next: 'name a file in it',
      });
    }
    const folder = path.dirname(path.resolve(file));
    try {
      await access(folder, constants.W_OK);
    } catch (error) {
      throw new UsageError(`cannot write ${file}: ${messageOf(error)}`, {
        where: folder,
        next: 'name a file in a folder that exists',
        cause: error,
      });
    }
  }
}

/** Prints the report and writes its files; returns what has failed of that. */
export async function report(
  result: BenchResult,
  { output, json, html }: ReportOptions,
  stream: NodeJS.WritableStream,
): Promise<readonly unknown[]> {
  const asText = async (): Promise<string> => {
    const { textReport } = await import('../bench/report-text.ts');
    return textReport(result).join('\n');
  };
  const asJson = async (): Promise<string> => {
    const { jsonReport } = await import('../bench/report-json.ts');
    return jsonReport(result);
  };
  const asHtml = async (): Promise<string> => {
    const { htmlReport } = await import('../bench/report-html.ts');
    return htmlReport(result);
  };
  const ways = [
    async () => print(stream, `${await (output === 'json' ? asJson() : asText())}\n`),
    ...(json === undefined ? [] : [async () => write(json, `${await asJson()}\n`)]),
    ...(html === undefined ? [] : [async () => write(html, await asHtml())]),
  ];
  const { failures } = await tryInTurn(ways, (way) => way());
  return failures;
}

async function print(stream: NodeJS.WritableStream, text: string): Promise<void> {
  const written = Promise.withResolvers<undefined>();
  stream.write(text, (error) => {
    // The reader has gone, or the terminal.
    if (!error || isErrno(error, 'EPIPE', 'EIO')) written.resolve(undefined);
    else written.reject(error);
  });
  try {
    await written.promise;
  } catch (error) {
    throw new RepriseError(`the report cannot be printed: ${messageOf(error)}`, {
      where: 'standard output',
      next: 'have it written to a file, too: --json FILE',
      cause: error,
    });
  }
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new RepriseError(`the report cannot be written: ${messageOf(error)}`, {
      where: path.resolve(file),
      next: 'make room for it, or name a file elsewhere',
      cause: error,
    });
  }
}
