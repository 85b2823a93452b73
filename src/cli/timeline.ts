/**
 * `reprise timeline NAME`: every in-place restart of a pod as a waterfall of its steps.
 */
import { Command, Option } from 'commander';
import { connectAgent } from '../api/client.ts';
import type { RestartRecord } from '../pod/memory.ts';
import { timelineHtml } from '../timeline/html.ts';
import { timelineOtlp } from '../timeline/otlp.ts';
import { timelineSvg } from '../timeline/svg.ts';
import { timelineText } from '../timeline/text.ts';
import { timelineOf } from '../timeline/timeline.ts';
import { defaultNamespace } from './options.ts';
import type { GlobalOptions } from './options.ts';
import { noteLine, printLine, visible } from './output.ts';
import { onePodName } from './pod-names.ts';

const formats = ['text', 'json', 'svg', 'html', 'otlp'] as const;

interface TimelineOptions extends GlobalOptions {
  readonly output: (typeof formats)[number];
  readonly last?: boolean;
}

/** The command as it is typed. */
export function timelineCommand(): Command {
  return new Command('timeline')
    .summary('show the steps of in-place restarts and what each took')
    .description(
      'Shows every in-place restart of a pod: the exit, the record of it, the kill and the proof that ' +
        'all is dead, and the start of each container; also one that is under way, or that was cut ' +
        'short by the next one or by the end of the pod. The last 20 are kept.',
    )
    .argument('<pod...>', 'pod NAME, pod/NAME or NAME')
    .addOption(new Option('-o, --output <format>', 'how').choices(formats).default('text'))
    .option('--last', 'only the last one')
    .addHelpText(
      'after',
      `
Examples:
  reprise timeline trainer
  reprise timeline trainer --last -o svg > restart.svg
  reprise timeline trainer -o html > restarts.html
  reprise timeline trainer -o otlp | curl -H 'Content-Type: application/json' -d @- http://127.0.0.1:4318/v1/traces`,
    )
    .action(async (args: string[], _: unknown, command: Command) => {
      await timeline(args, command.optsWithGlobals());
    });
}

async function timeline(args: readonly string[], options: TimelineOptions): Promise<void> {
  const name = onePodName(args, 'reprise timeline NAME');
  const namespace = options.namespace ?? defaultNamespace;
  const client = connectAgent(options.socket);
  const all = await client.listRestarts(namespace, name, new AbortController().signal);
  const records = options.last === true ? all.slice(-1) : all;
  if (records.length === 0) noteLine(`pod/${name} has not been restarted in place`);
  printLine(render(`${namespace}/${name}`, records, options.output));
}

function render(
  pod: string,
  records: readonly RestartRecord[],
  format: TimelineOptions['output'],
): string {
  const timelines = records.map((record) => timelineOf(pod, record, Date.now()));
  switch (format) {
    case 'text': {
      const columns = process.stdout.isTTY ? process.stdout.columns : 100;
      return timelines
        .map((one) => timelineText(one, columns).split('\n').map(visible).join('\n'))
        .join('\n\n');
    }
    case 'json':
      return JSON.stringify(records, null, 2);
    case 'svg':
      return timelineSvg(timelines).trimEnd();
    case 'html':
      return timelineHtml(pod, timelines).trimEnd();
    case 'otlp':
      return JSON.stringify(timelineOtlp(timelines), null, 2);
    default:
      return format satisfies never;
  }
}
