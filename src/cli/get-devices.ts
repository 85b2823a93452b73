/** `reprise get devices`: what there is to give to pods, how it is, and who has it. */
import { connectAgent } from '../api/client.ts';
import { deviceColumns } from '../api/devices.ts';
import { listOf } from './get.ts';
import type { GetOptions } from './get.ts';
import { asText, parseJsonPath } from './json-path.ts';
import { noteLine, printLine } from './output.ts';
import { TextTable } from './text-table.ts';
import { UsageError } from './usage-error.ts';
import { toYaml } from './yaml.ts';

/** Shows those with any of these names, or all. */
export async function getDevices(names: readonly string[], options: GetOptions): Promise<void> {
  const { output, headers } = options;
  if (options.watch) throw new UsageError('-w is for pods');
  if (options.selector !== undefined) throw new UsageError('devices have no labels');
  const all = await connectAgent(options.socket).listDevices(new AbortController().signal);
  const unknown = names.find((name) => !all.some(({ spec }) => spec.names.includes(name)));
  if (unknown !== undefined) {
    throw new UsageError(`there is no device "${unknown}"`, { next: 'reprise get devices' });
  }
  const shown =
    names.length === 0 ? all : all.filter(({ spec }) => names.some((n) => spec.names.includes(n)));
  if (output === 'json') printLine(JSON.stringify(listOf(shown), undefined, 4));
  else if (output === 'yaml') printLine((await toYaml(listOf(shown))).trimEnd());
  else if (output === 'name') for (const { metadata } of shown) printLine(metadata.name);
  else if (output?.startsWith('jsonpath=')) {
    const path = parseJsonPath(output.slice('jsonpath='.length));
    for (const device of shown) printLine(path(device).map(asText).join(' '));
  } else if (output !== undefined && output !== 'wide') {
    throw new UsageError(`unknown output format "${output}"`, {
      next: 'use wide, json, yaml, name or jsonpath={...}',
    });
  } else if (shown.length === 0) {
    noteLine('No devices found; reprise doctor says where they are looked for');
  } else {
    const table = new TextTable(deviceColumns, { wide: output === 'wide' });
    for (const line of table.lines(shown, Date.now(), { header: headers })) printLine(line);
  }
}
