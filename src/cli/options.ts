/**
 * The options that several commands share, each with its environment variable.
 */
import fs from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { messageOf } from '../errors.ts';
import { dnsLabelRule, isDnsLabel } from '../manifest/schema/scalar.ts';
import { isNamespacedSysctl } from '../pod/admission.ts';
import { durationDefault, durationOption } from './duration.ts';

/** Options that every command has. */
export interface GlobalOptions {
  readonly socket: string;
  /** Absent: `default`, or what the manifest says. */
  readonly namespace?: string;
}

/** Options of the commands that start an agent. */
export interface NodeOptions {
  readonly containerd: string;
  readonly dataDir: string;
  readonly podLogDir: string;
  readonly cgroupRoot: string;
  /** Absent: no limit. */
  readonly podPidsLimit?: number;
  readonly nodeName: string;
  readonly clusterDomain: string;
  /** Absent: the node's. */
  readonly resolvConf?: string;
  /** Milliseconds; 0 is off. */
  readonly inPlaceBackoff: number;
  /** Milliseconds. */
  readonly maxContainerRestartPeriod: number;
  /** Whether the containers of the next in-place restart are created ahead. */
  readonly standbys: boolean;
  /** Whether what containerd does about dead containers is put off until a restart is over. */
  readonly deferredCleanup: boolean;
  readonly allowedUnsafeSysctls: readonly string[];
  /** Absent: what containerd reads. */
  readonly cdiSpecDirs?: readonly string[];
  readonly nvidiaSmi: string;
  readonly nvidiaDriverDir: string;
  readonly devDir: string;
  readonly kernelLog: string;
  /** Milliseconds. */
  readonly deviceCheckPeriod: number;
  readonly unhealthyDevices: 'restart' | 'wait';
}

export const defaultNamespace = 'default';

/** Adds what every command has, to the program itself. */
export function withGlobalOptions(program: Command): Command {
  return program
    .addOption(
      new Option('--socket <path>', "the agent's unix socket")
        .env('REPRISE_SOCKET')
        .default('/run/reprise/reprise.sock'),
    )
    .addOption(
      new Option('-n, --namespace <name>', 'namespace of the pod (default: "default")').argParser(
        namespaceName,
      ),
    );
}

/** Adds what `run` and `agent` take. */
export function withNodeOptions(command: Command): Command {
  return withDeviceOptions(withResolverOption(withContainerdOption(command)))
    .addOption(
      new Option('--data-dir <path>', 'where pods are remembered and their volumes live')
        .env('REPRISE_DATA_DIR')
        .default('/var/lib/reprise'),
    )
    .addOption(
      new Option('--pod-log-dir <path>', 'where the logs of containers go')
        .env('REPRISE_POD_LOG_DIR')
        .default('/var/log/pods'),
    )
    .addOption(
      new Option('--cgroup-root <path>', 'parent of all pod cgroups')
        .env('REPRISE_CGROUP_ROOT')
        .default('/kubepods'),
    )
    .addOption(
      new Option(
        '--pod-pids-limit <number>',
        'how many processes and threads one pod may have; -1: as many as the node',
      )
        .env('REPRISE_POD_PIDS_LIMIT')
        .default(undefined, '-1')
        .argParser(pidsLimit),
    )
    .addOption(
      new Option('--node-name <name>', 'name of this node in what is shown')
        .env('REPRISE_NODE_NAME')
        .default(hostname().toLowerCase()),
    )
    .addOption(
      new Option('--cluster-domain <domain>', 'end of the full names of pods with a subdomain')
        .env('REPRISE_CLUSTER_DOMAIN')
        .default('cluster.local'),
    )
    .addOption(
      durationDefault(
        new Option(
          '--in-place-backoff <duration>',
          'longest delay between in-place restarts; 0 turns the back-off off',
        ).env('REPRISE_IN_PLACE_BACKOFF'),
        60_000,
      ).argParser(durationOption()),
    )
    .addOption(
      durationDefault(
        new Option(
          '--max-container-restart-period <duration>',
          'longest delay between restarts of one container, 1s to 5m',
        ).env('REPRISE_MAX_CONTAINER_RESTART_PERIOD'),
        300_000,
      ).argParser(durationOption({ minMs: 1000, maxMs: 300_000 })),
    )
    .option(
      '--no-standbys',
      'do not create the containers of the next in-place restart ahead: slower, less disk',
    )
    .option(
      '--no-deferred-cleanup',
      'do not put off what containerd does about dead containers until a restart is over: slower',
    )
    .addOption(
      new Option(
        '--allowed-unsafe-sysctls <names>',
        'kernel parameters that pods may set beside the safe ones; a final * stands for any ending',
      )
        .env('REPRISE_ALLOWED_UNSAFE_SYSCTLS')
        .argParser(sysctlNames)
        .default([], 'none'),
    )
    .addOption(
      new Option(
        '--unhealthy-devices <what>',
        'an in-place restart with an unhealthy device: try it all the same, or wait',
      )
        .env('REPRISE_UNHEALTHY_DEVICES')
        .choices(['restart', 'wait'])
        .default('restart'),
    )
    .addOption(
      durationDefault(
        new Option('--device-check-period <duration>', 'how often devices are looked at').env(
          'REPRISE_DEVICE_CHECK_PERIOD',
        ),
        30_000,
      ).argParser(durationOption({ minMs: 100, maxMs: 3_600_000 })),
    );
}

/** Adds where containerd is. */
export function withContainerdOption(command: Command): Command {
  return command.addOption(
    new Option('--containerd <path>', "containerd's unix socket")
      .env('CONTAINERD_ADDRESS')
      .default('/run/containerd/containerd.sock'),
  );
}

/** Adds which resolver pods get, to what starts an agent and to what only looks. */
export function withResolverOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--resolv-conf <file>',
      "name servers and search domains of pods (default: /etc/resolv.conf, or systemd-resolved's if that is on the loopback; an empty name: none)",
    )
      .env('REPRISE_RESOLV_CONF')
      .argParser(resolvConf),
  );
}

/** Adds where devices are looked for, to what starts an agent and to what only looks. */
export function withDeviceOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--cdi-spec-dirs <directories>',
        'where CDI specifications are, with commas between; the last one wins (default: as containerd has it)',
      )
        .env('REPRISE_CDI_SPEC_DIRS')
        .argParser((text: string) => text.split(',').map((directory) => directory.trim())),
    )
    .addOption(
      new Option('--nvidia-smi <program>', 'what tells of the health of NVIDIA GPUs')
        .env('REPRISE_NVIDIA_SMI')
        .default('nvidia-smi'),
    )
    .addOption(
      new Option('--nvidia-driver-dir <path>', 'where the NVIDIA driver tells of its GPUs')
        .env('REPRISE_NVIDIA_DRIVER_DIR')
        .default('/proc/driver/nvidia'),
    )
    .addOption(
      new Option('--dev-dir <path>', 'where device nodes are')
        .env('REPRISE_DEV_DIR')
        .default('/dev'),
    )
    .addOption(
      new Option('--kernel-log <path>', 'where Xid messages of NVIDIA GPUs are read')
        .env('REPRISE_KERNEL_LOG')
        .default('/dev/kmsg'),
    );
}

/** As the kubelet's resolvConf has it: an empty name is no resolver at all. */
function resolvConf(file: string): string {
  if (file === '') return file;
  try {
    fs.accessSync(file, fs.constants.R_OK);
  } catch (error) {
    throw new InvalidArgumentError(`cannot be read: ${messageOf(error)}`);
  }
  return path.resolve(file);
}

/** What could name no pod is noticed before anybody is asked for it. */
function namespaceName(text: string): string {
  if (isDnsLabel(text)) return text;
  throw new InvalidArgumentError(`It ${dnsLabelRule}.`);
}

/** As the kubelet's podPidsLimit has it: what is not above 0 is no limit. */
function pidsLimit(text: string): number | undefined {
  if (!/^-?\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  const limit = Number(text);
  return limit > 0 ? limit : undefined;
}

/** `a.b,c.*` -> names; what is not a pod's own would be set for the whole machine. */
function sysctlNames(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim().replaceAll('/', '.'));
  const shared = names.find((name) => !isNamespacedSysctl(name));
  if (shared === undefined) return names;
  throw new InvalidArgumentError(`"${shared}" is set for the whole machine, not for one pod.`);
}
