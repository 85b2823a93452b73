/**
 * `reprise doctor`: what was found out about this machine, what is wrong, and what to do about it. It
 * changes nothing, and needs no agent.
 */
import { Command, Option } from 'commander';
import { checkAgent } from '../doctor/check-agent.ts';
import { checkContainerd } from '../doctor/check-containerd.ts';
import { checkDevices } from '../doctor/check-devices.ts';
import { checkHost } from '../doctor/check-host.ts';
import type { Finding } from '../doctor/finding.ts';
import { defaultSpecDirs } from '../host/devices/read-specs.ts';
import { withContainerdOption, withDeviceOptions, withResolverOption } from './options.ts';
import type { GlobalOptions, NodeOptions } from './options.ts';
import { printLine, visible } from './output.ts';

type DoctorOptions = GlobalOptions &
  Pick<
    NodeOptions,
    | 'containerd'
    | 'resolvConf'
    | 'cdiSpecDirs'
    | 'nvidiaSmi'
    | 'nvidiaDriverDir'
    | 'devDir'
    | 'kernelLog'
  > & { readonly output?: 'json' };

/** The command as it is typed. */
export function doctorCommand(): Command {
  const command = new Command('doctor')
    .summary('say what this machine has and what is wrong with it')
    .description(
      'Looks at containerd, CRI, the pod network, cgroups, name servers and devices, and says of each whether it is ' +
        'fit for pods, and what to do if it is not. Changes nothing, and needs no agent.',
    )
    .addOption(new Option('-o, --output <format>', 'json').choices(['json']));
  return withDeviceOptions(withResolverOption(withContainerdOption(command)))
    .addHelpText(
      'after',
      `
Exit codes:
  0   pods can run; there may be warnings
  1   something is in the way of every pod

Example:
  sudo reprise doctor`,
    )
    .action(async (_: unknown, own: Command) => {
      await doctor(own.optsWithGlobals());
    });
}

/** What was found is told in any case, and in words as soon as it is found. */
async function doctor(options: DoctorOptions): Promise<void> {
  const isJson = options.output === 'json';
  const findings: Finding[] = [];
  try {
    for await (const finding of findOut(options)) {
      findings.push(finding);
      if (!isJson) for (const line of lines(finding)) printLine(visible(line));
    }
  } finally {
    if (isJson) printLine(JSON.stringify({ findings }, undefined, 4));
  }
  process.exitCode = findings.some(({ verdict }) => verdict === 'fail') ? 1 : 0;
  // An nvidia-smi that cannot be killed would keep this process, too.
  process.stdout.write('', () => process.exit());
}

async function* findOut(options: DoctorOptions): AsyncGenerator<Finding, void, undefined> {
  yield* checkHost(options.resolvConf);
  const { findings, ways } = await checkContainerd(options.containerd);
  yield* findings;
  const roots = {
    cdiSpecDirs: options.cdiSpecDirs ?? ways?.cdiSpecDirs ?? defaultSpecDirs,
    devDirectory: options.devDir,
    driverDirectory: options.nvidiaDriverDir,
  };
  const { nvidiaSmi, kernelLog } = options;
  yield* await checkDevices({ roots, nvidiaSmi, kernelLog, ways });
  yield await checkAgent(options.socket);
}

function lines({ subject, verdict, finding, next }: Finding): readonly string[] {
  return [
    `${verdict.padEnd(6)}${subject}: ${finding}`,
    ...(next === undefined ? [] : [`${' '.repeat(6)}  try: ${next}`]),
  ];
}
