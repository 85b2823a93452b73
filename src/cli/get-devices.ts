/** `reprise get devices`: what there is to give to pods, how it is, and who has it. */
import { connectAgent } from '../api/client.ts';
import { deviceColumns } from '../api/devices.ts';
import { NotFoundError } from '../errors.ts';
import type { V1Device } from '../pod/v1-device.ts';
import type { GetOptions } from './get.ts';
import { formatted, isForPeople } from './get-output.ts';
import type { Look } from './get-output.ts';
import { noteLine, printLine } from './output.ts';
import { throwAll } from './several.ts';
import { TextTable } from './text-table.ts';
import { UsageError } from './usage-error.ts';

/** Shows those with any of these names, or all; a name that none has is told in the end. */
export async function getDevices(names: readonly string[], options: GetOptions): Promise<void> {
  if (options.watch) throw new UsageError('-w is for pods');
  if (options.selector !== undefined) throw new UsageError('devices have no labels');
  const all = await connectAgent(options.socket).listDevices(new AbortController().signal);
  const shown =
    names.length === 0 ? all : all.filter(({ spec }) => names.some((n) => spec.names.includes(n)));
  const unknown = names.filter((name) => !all.some(({ spec }) => spec.names.includes(name)));
  if (names.length === 0 || shown.length > 0) await show(shown, options, names.length === 1);
  throwAll(unknown.map(notFound));
}

function notFound(name: string): NotFoundError {
  return new NotFoundError(`devices "${name}" not found`, {
    next: 'list the devices there are: reprise get devices',
  });
}

async function show(
  devices: readonly V1Device[],
  { output, headers }: GetOptions,
  isOne: boolean,
): Promise<void> {
  if (devices.length === 0 && isForPeople(output)) {
    noteLine('No devices found; reprise doctor says where they are looked for');
    return;
  }
  const table = new TextTable(deviceColumns, { wide: output === 'wide' });
  const look: Look<V1Device> = {
    name: ({ metadata }) => metadata.name,
    table: (things) => table.lines(things, Date.now(), { header: headers }),
  };
  for (const line of await formatted(devices, { output, isOne }, look)) printLine(line);
}
