/**
 * A guest of qemu: started, talked to by ssh, and gone with whoever started it.
 *
 * It has no way out to any network; its ssh is reached on a port of the loopback. What it writes is
 * thrown away, unless asked otherwise.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { RepriseError, messageOf } from '../../src/errors.ts';
import type { Image } from './image.ts';
import { say, timed } from './progress.ts';

/** What emulates it, and what cores and memory it gets. */
const CORES = 2;
const MEMORY_MB = 3072;
/** Some 40 s on an idle machine without KVM. */
const BOOT_MS = 15 * 60_000;
/** On a busy machine a guest may get no time for minutes. */
const CONNECT_SECONDS = 600;
/** How often it is booted at most: an emulated kernel panics at its start now and then. */
const BOOTS = 3;
/** A guest that works with KVM says its first word within a second. */
const KVM_TRIAL_MS = 20_000;

/** What to boot. */
export interface Boot {
  readonly image: Image;
  /** The image itself or a layer above it. */
  readonly disk: string;
  readonly format: 'raw' | 'qcow2';
  /** Whether the disk keeps what the guest writes. */
  readonly keeps: boolean;
  /** Seen by the guest as the next disk. */
  readonly payload: string;
  /** A folder for the console's output. */
  readonly dir: string;
}

/** A running guest. */
export interface Machine extends AsyncDisposable {
  readonly accelerator: 'kvm' | 'tcg';
  /** Runs a command of bash in the guest, as root; its output comes line by line as well. */
  readonly run: (command: string, options?: RunOptions) => Promise<GuestRun>;
  /** The same; throws if it fails. */
  readonly ok: (command: string, options?: RunOptions) => Promise<string>;
  /** Ends it in order, so that its disk is whole. */
  readonly powerOff: () => Promise<void>;
  /** A shell for whoever sits at the terminal. */
  readonly shell: () => Promise<number>;
}

export interface RunOptions {
  /** How long the guest may take to let us in. */
  readonly connectSeconds?: number;
  readonly onLine?: (line: string) => void;
}

export interface GuestRun {
  readonly exitCode: number;
  readonly output: string;
}

/** Boots a disk and waits until the guest lets us in. */
export async function bootMachine(
  { image, disk, format, keeps, payload, dir }: Boot,
  signal: AbortSignal,
): Promise<Machine> {
  const accelerator = (await kvmWorks(image, dir)) ? 'kvm' : 'tcg';
  const console_ = join(dir, 'console.log');
  const port = await freePort();
  const parts = [
    ...['-append', 'root=/dev/vda rw console=ttyS0 net.ifnames=0 loglevel=4 panic=5'],
    ...[
      '-drive',
      `file=${disk},format=${format},if=virtio,snapshot=${keeps ? 'off' : 'on'},cache=unsafe`,
    ],
    ...['-drive', `file=${payload},format=raw,if=virtio,snapshot=on,cache=unsafe`],
    ...['-netdev', `user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22`],
    ...['-device', 'virtio-net-pci,netdev=net0,romfile=', '-device', 'virtio-rng-pci'],
  ];
  const ssh = [
    ...['-i', image.key, '-p', String(port), '-o', 'StrictHostKeyChecking=no'],
    ...['-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'],
    ...['-o', 'ServerAliveInterval=30', '-o', 'ServerAliveCountMax=20', 'root@127.0.0.1'],
  ];
  const run = async (command: string, options: RunOptions = {}): Promise<GuestRun> => {
    const first = ['-o', `ConnectTimeout=${options.connectSeconds ?? CONNECT_SECONDS}`];
    const attempt = execa('ssh', [...first, ...ssh, `bash -c ${quoted(command)}`], {
      stdin: 'ignore',
      all: true,
      reject: false,
      cancelSignal: signal,
    });
    for await (const line of attempt.iterable({ from: 'all' })) options.onLine?.(line);
    const { exitCode, all } = await attempt;
    signal.throwIfAborted();
    return { exitCode: exitCode ?? 255, output: all };
  };
  const boot = async (triesLeft: number): Promise<ChildProcess> => {
    const guest = await start(image, accelerator, console_, parts);
    try {
      await untilReady(guest, (command) => run(command, { connectSeconds: 60 }), console_);
      return guest;
    } catch (error) {
      const hasDied = hasEnded(guest);
      await end(guest);
      if (!hasDied || triesLeft === 0 || signal.aborted) throw error;
      say(`Booting again: ${messageOf(error)}`);
      return await boot(triesLeft - 1);
    }
  };
  const guest = await timed(
    `Booting (${accelerator === 'kvm' ? 'KVM' : 'emulated: KVM does not work here'})`,
    () => boot(BOOTS - 1),
  );
  return {
    accelerator,
    run,
    ok: async (command, options) => {
      const { exitCode, output } = await run(command, options);
      if (exitCode === 0) return output;
      throw new RepriseError(
        `in the guest this ended with ${exitCode}:\n${output.split('\n').slice(-30).join('\n')}`,
        { where: command, next: 'scripts/vm shell opens a shell in it' },
      );
    },
    powerOff: async () => {
      const ended = once(guest, 'exit', { signal });
      await run('systemctl poweroff');
      await ended;
    },
    shell: async () => {
      const { exitCode } = await execa('ssh', ['-t', ...ssh], { stdio: 'inherit', reject: false });
      return exitCode ?? 255;
    },
    [Symbol.asyncDispose]: () => end(guest),
  };
}

async function start(
  image: Image,
  accelerator: 'kvm' | 'tcg',
  output: string,
  more: readonly string[],
): Promise<ChildProcess> {
  const isArm = image.architecture === 'arm64';
  const log = await open(output, 'w');
  try {
    const guest = spawn(
      isArm ? 'qemu-system-aarch64' : 'qemu-system-x86_64',
      [
        ...['-machine', isArm ? 'virt' : 'q35'],
        ...['-accel', accelerator === 'kvm' ? 'kvm' : 'tcg,thread=multi'],
        ...['-cpu', accelerator === 'kvm' ? 'host' : 'max'],
        ...['-smp', String(CORES), '-m', String(MEMORY_MB), '-no-reboot', '-nodefaults'],
        ...['-display', 'none', '-serial', 'stdio'],
        ...['-kernel', image.kernel, '-initrd', image.initrd, ...more],
      ],
      // In a group of its own: Ctrl-C in this terminal reaches it through us, after the results.
      { stdio: ['ignore', log.fd, log.fd], detached: true },
    );
    await once(guest, 'spawn');
    return guest;
  } catch (error) {
    throw new RepriseError(`qemu does not start: ${(error as Error).message}`, {
      next: 'run scripts/prepare --vm',
      cause: error,
    });
  } finally {
    await log.close();
  }
}

async function end(guest: ChildProcess): Promise<void> {
  if (hasEnded(guest)) return;
  const ended = once(guest, 'exit');
  guest.kill('SIGKILL'); // Nothing of it is kept.
  await ended;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return (exitCode ?? signalCode) !== null;
}

async function untilReady(
  guest: ChildProcess,
  run: (command: string) => Promise<GuestRun>,
  log: string,
): Promise<void> {
  const deadline = Date.now() + BOOT_MS;
  let shown = 0;
  for (;;) {
    const { exitCode } = await run('systemctl is-system-running --wait || true');
    if (exitCode === 0) return;
    const lines = (await readFile(log, 'utf8')).split('\n');
    const last = lines
      .at(-2)
      ?.replace(/[^\x20-\x7e]/g, '')
      .slice(0, 100);
    if (lines.length > shown && last) console.log(`    | ${last}`);
    shown = lines.length;
    const ended = hasEnded(guest);
    if (ended || Date.now() > deadline) {
      throw new RepriseError(
        `the guest ${ended ? 'ended' : 'does not come up'}; its last words:\n${lines.slice(-15).join('\n')}`,
        {
          where: log,
        },
      );
    }
    await sleep(3000);
  }
}

/** Whether a guest really boots with KVM: the device is there on machines where none does. */
async function kvmWorks(image: Image, dir: string): Promise<boolean> {
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const memo = join(dir, 'kvm');
  const known = (await readFile(memo, 'utf8').catch(() => '')).split(' ');
  if (known[0] === bootId) return known[1] === 'yes';
  say(`Trying whether a guest boots with KVM (at most ${KVM_TRIAL_MS / 1000} s)`);
  const output = join(dir, 'kvm.log');
  const guest = await start(image, 'kvm', output, ['-append', 'console=ttyS0 panic=-1']);
  const deadline = Date.now() + KVM_TRIAL_MS;
  let works = false;
  while (!works && Date.now() < deadline && guest.exitCode === null) {
    await sleep(200);
    works = (await readFile(output, 'utf8')).includes('Linux version');
  }
  await end(guest);
  await writeFile(memo, `${bootId} ${works ? 'yes' : 'no'}`);
  return works;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
