/**
 * nvidia-smi, asked for one thing at a time. A GPU whose firmware hangs makes it hang too, in a state
 * in which it cannot even be killed: see patience.ts.
 */
import { ExecaError, execa } from 'execa';
import { RepriseError } from '../../errors.ts';
import { healthFields, isAboutGpus, parseRows, unknownField } from '../../devices/health.ts';
import type { SmiRow } from '../../devices/health.ts';
import { HangError, Patience } from './patience.ts';

/** nvidia-smi has failed; the message is what it says about the driver. */
export class NvidiaSmiError extends RepriseError {
  /** Whether that says something bad about the GPUs, and not about the question. */
  readonly isAboutDevices: boolean;

  constructor(what: string, isAboutDevices: boolean, cause?: unknown) {
    super(what, { next: 'run nvidia-smi by hand; see docs/gpu.md', cause });
    this.isAboutDevices = isAboutDevices;
  }
}

/** A compute process as nvidia-smi lists it. */
export interface ComputeProcess {
  readonly gpuUuid: string;
  /** Of the host. */
  readonly pid: number;
}

const TIMEOUT_MS = 10_000;
/** How long one that was killed may take to end before it counts as one that cannot be killed. */
const ENDS_WITHIN_MS = 1_000;

/** nvidia-smi's exit codes that speak of the driver or the GPUs; source: its manual page. */
const badCodes: Readonly<Record<number, string>> = {
  8: 'the power cables of a GPU are not attached',
  9: 'the NVIDIA driver is not loaded',
  10: 'the kernel has found an interrupt problem with a GPU',
  14: 'the infoROM of a GPU is corrupt',
  15: 'a GPU has fallen off the bus',
};

export class NvidiaSmi {
  readonly #program: string;
  readonly #timeoutMs: number;
  readonly #patience: Patience;
  #fields: readonly string[] = healthFields;

  constructor(program: string, timeoutMs = TIMEOUT_MS, endsWithinMs = ENDS_WITHIN_MS) {
    this.#program = program;
    this.#timeoutMs = timeoutMs;
    this.#patience = new Patience(timeoutMs + endsWithinMs);
  }

  /** One row per GPU with the health fields that this driver knows. Throws NvidiaSmiError. */
  async health(signal: AbortSignal): Promise<readonly SmiRow[]> {
    for (;;) {
      const fields = this.#fields;
      const { text, failure } = await this.#ask(`--query-gpu=${fields.join(',')}`, signal);
      const unknown = failure && unknownField(text);
      if (unknown !== undefined && fields.includes(unknown)) {
        this.#fields = fields.filter((field) => field !== unknown);
        continue;
      }
      const rows = parseRows(text, fields);
      // What it says about the GPUs it can see is worth more than how it ends.
      if (failure && rows.length === 0) throw failure;
      return rows;
    }
  }

  async computeProcesses(signal: AbortSignal): Promise<readonly ComputeProcess[]> {
    const fields = ['gpu_uuid', 'pid'];
    const { text, failure } = await this.#ask(`--query-compute-apps=${fields.join(',')}`, signal);
    if (failure) throw failure;
    return parseRows(text, fields).flatMap((row) => {
      const pid = Number(row.get('pid'));
      return Number.isInteger(pid) && pid > 0 ? [{ gpuUuid: row.get('gpu_uuid') ?? '', pid }] : [];
    });
  }

  async #ask(
    query: string,
    signal: AbortSignal,
  ): Promise<{ readonly text: string; readonly failure?: NvidiaSmiError }> {
    try {
      return await this.#patience.do(() => this.#run(query, signal));
    } catch (error) {
      if (!(error instanceof HangError)) throw error;
      const words = error.isBegun ? 'hangs and cannot be killed' : 'still hangs';
      throw new NvidiaSmiError(`nvidia-smi ${words}`, true);
    }
  }

  async #run(
    query: string,
    signal: AbortSignal,
  ): Promise<{ readonly text: string; readonly failure?: NvidiaSmiError }> {
    const run = execa(this.#program, [query, '--format=csv,noheader,nounits'], {
      stdin: 'ignore',
      all: true,
      timeout: this.#timeoutMs,
      killSignal: 'SIGKILL',
      cancelSignal: signal,
      maxBuffer: 1024 * 1024,
    });
    try {
      return { text: (await run).all };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ExecaError)) throw error;
      return {
        text: typeof error.all === 'string' ? error.all : '',
        failure: failureOf(error as Ended),
      };
    }
  }
}

/** The parts of execa's error that matter, whatever the options were. */
type Ended = Error & Pick<ExecaError, 'timedOut' | 'code' | 'exitCode'> & { readonly all?: string };

function failureOf(error: Ended): NvidiaSmiError {
  if (error.timedOut) return new NvidiaSmiError('nvidia-smi did not answer in time', true, error);
  if (error.code === 'ENOENT') return new NvidiaSmiError('there is no nvidia-smi', false, error);
  const bad = badCodes[error.exitCode ?? -1];
  const said = (error.all ?? '').trim().split('\n')[0] ?? '';
  const why = bad ?? (said === '' ? `exit code ${String(error.exitCode)}` : said);
  const isAboutDevices = bad !== undefined || isAboutGpus(error.all ?? '');
  return new NvidiaSmiError(`nvidia-smi: ${why}`, isAboutDevices, error);
}
