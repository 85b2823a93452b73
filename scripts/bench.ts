/**
 * Runs `reprise bench` against a private containerd in a temporary folder; arguments are passed on.
 *
 * However it ends, also by Ctrl-C at any moment, everything is taken away again. Standard output is
 * the benchmark's alone, so that `scripts/bench -o json` can be piped.
 */
import { mkdtemp } from 'node:fs/promises';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { startContainerd, stopContainerd, type PrivateContainerd } from './containerd.ts';
import { findLeftovers } from './leftovers.ts';
import { tellError } from './tell-error.ts';

/** Asked twice to stop, it is still given this long; then what is left is ended from outside. */
const PATIENCE_MS = 60_000;

type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

async function main(args: readonly string[]): Promise<number> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => stop.abort(name));
  }
  const dir = await mkdtemp('/var/tmp/reprise-bench-');
  let exitCode = 1;
  try {
    console.error(`starting a private containerd in ${dir}`);
    // The pods need no other machine, and so nothing changes of how this one forwards.
    const containerd = await startContainerd(dir, { outbound: false, signal: stop.signal });
    exitCode = await bench(containerd, args, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) tellError(error);
  }
  const leftovers = await cleanUp(dir);
  if (stop.signal.aborted) return 128 + constants.signals[stop.signal.reason as Signal];
  return leftovers ? 1 : exitCode;
}

/** The exit code of `reprise bench`. */
async function bench(
  containerd: PrivateContainerd,
  args: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const run = execa(
    join(dirname(import.meta.dirname), 'bin', 'reprise'),
    [
      ...['bench', '--containerd', containerd.socket, '--cgroup-root', containerd.cgroupRoot],
      ...['--work-dir', containerd.dir, '--image', 'localhost/reprise/busybox:1'],
      ...args,
    ],
    // Detached, so that Ctrl-C in this terminal reaches it once, through us.
    { stdio: 'inherit', detached: true, reject: false },
  );
  const end = (): void => {
    run.kill('SIGTERM');
    setTimeout(() => run.kill('SIGKILL'), PATIENCE_MS).unref();
  };
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  const { exitCode } = await run;
  return exitCode ?? 1;
}

/** Whether something is left. */
async function cleanUp(dir: string): Promise<boolean> {
  console.error('stopping containerd and removing everything');
  try {
    await stopContainerd(dir, { purge: true });
    const leftovers = await findLeftovers({ dir });
    for (const { kind, what } of leftovers) console.error(`left behind: ${kind} ${what}`);
    return leftovers.length > 0;
  } catch (error) {
    tellError(error);
    return true;
  }
}

process.exitCode = await main(process.argv.slice(2));
