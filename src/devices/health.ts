/**
 * What nvidia-smi and the kernel log say about the health of GPUs. Pure.
 *
 * Unknown is not bad: `[N/A]` and `[Not Supported]` say nothing; `[GPU is lost]` does. Sources: nvidia-smi's own help, NVIDIA's
 * Xid catalogue, and the list of Xids that NVIDIA's device plugin takes for the application's fault.
 */
import { plainBusId } from './nvidia.ts';

/** Fields that tell of health; older drivers lack some, and one unknown name fails the query. */
export const healthFields: readonly string[] = [
  'uuid',
  'pci.bus_id',
  'gpu_recovery_action',
  'remapped_rows.failure',
  'remapped_rows.pending',
  'retired_pages.pending',
  'ecc.errors.uncorrected.volatile.total',
  'fabric.state',
  'fabric.status',
];

/** One line of nvidia-smi's answer, by field. */
export type SmiRow = ReadonlyMap<string, string>;

/** Reads `--format=csv,noheader,nounits`; lines with another number of fields are left out. */
export function parseRows(text: string, fields: readonly string[]): readonly SmiRow[] {
  return text.split('\n').flatMap((line) => {
    const cells = line.split(',').map((cell) => cell.trim());
    if (line.trim() === '' || cells.length !== fields.length) return [];
    return [new Map(fields.map((field, index) => [field, cells[index] ?? '']))];
  });
}

/** The field that nvidia-smi does not know, if that is its complaint. */
export function unknownField(text: string): string | undefined {
  return /Field "([^"]+)" is not a valid field to query/.exec(text)?.[1];
}

/** Whether what nvidia-smi says when it fails is about the driver or a GPU, and not about the question. */
export function isAboutGpus(text: string): boolean {
  return /Failed to initialize NVML|Driver\/library version mismatch|Unable to determine the device handle|GPU is lost|requires reset/i.test(
    text,
  );
}

/** What is wrong with a GPU by its line; absent if nothing is. */
export function faultInRow(row: SmiRow): string | undefined {
  const told = (field: string): string | undefined => {
    const value = row.get(field);
    return value === undefined || value === '' || /^\[.*\]$|^N\/A$/i.test(value)
      ? undefined
      : value;
  };
  const lost = [...row.values()].find((value) => /^\[.*\b(lost|reset)\b.*\]$/i.test(value));
  if (lost !== undefined) return `nvidia-smi says: ${lost.slice(1, -1)}`;
  const action = told('gpu_recovery_action');
  if (action !== undefined && action !== 'None') return `nvidia-smi asks for: ${action}`;
  if (told('remapped_rows.failure') === 'Yes')
    return 'a row could not be remapped: replace the GPU';
  if (told('remapped_rows.pending') === 'Yes') return 'rows wait to be remapped: reset the GPU';
  if (told('retired_pages.pending') === 'Yes') return 'pages wait to be retired: reset the GPU';
  const uncorrected = Number(told('ecc.errors.uncorrected.volatile.total') ?? '0');
  if (uncorrected > 0) return `${uncorrected} uncorrected memory errors since the last reset`;
  return faultInFabric(told('fabric.state'), told('fabric.status'));
}

function faultInFabric(state: string | undefined, status: string | undefined): string | undefined {
  if (state !== undefined && !['Completed', 'Not Supported'].includes(state)) {
    return `its fabric is not up: ${state} (is nvidia-fabricmanager running?)`;
  }
  return state === 'Completed' && status !== undefined && status !== 'Success'
    ? `its fabric has failed: ${status}`
    : undefined;
}

/** An Xid message of the driver: which GPU, which number, in the driver's words. */
export interface Xid {
  readonly busId: string;
  readonly number: number;
  readonly text: string;
  /** The GPU itself is fine: a program has made a mistake. */
  readonly isOfApplication: boolean;
}

const applicationXids: ReadonlySet<number> = new Set([13, 31, 43, 45, 68, 109]);

/** Reads a line of the kernel log, `(PCI:0000:01:00 GPU-I:05)` of a slice, too; absent if it is of something else. */
export function parseXid(line: string): Xid | undefined {
  const match = /NVRM: Xid \(PCI:([0-9A-Fa-f:.]+)[^)]*\): (\d+)(?:,\s*(.*))?/.exec(line);
  if (!match) return undefined;
  const number = Number(match[2]);
  return {
    busId: plainBusId(match[1] ?? ''),
    number,
    text: (match[3] ?? '').trim(),
    isOfApplication: applicationXids.has(number),
  };
}

/** Whether a message is about the GPU at that address; it leaves out the function, `.0`. */
export function isAbout({ busId }: Xid, gpuBusId: string): boolean {
  return gpuBusId === busId || gpuBusId.startsWith(`${busId}.`);
}
