/**
 * `scripts/containerd start|stop|status DIR`: a containerd of one's own, all of it in one folder.
 *
 * For those who have none, for the demonstration, and for the tests; the system's instance and its
 * configuration are never touched. Everything it does is in private-containerd/.
 */
import { parseArgs } from 'node:util';
import { startContainerd } from './private-containerd/start.ts';
import { containerdStatus } from './private-containerd/status.ts';
import { stopContainerd } from './private-containerd/stop.ts';
import { isUsageError, tellError } from './tell-error.ts';

export { startContainerd, stopContainerd, containerdStatus };
export type { PrivateContainerd, StartOptions } from './private-containerd/start.ts';

const HELP = `Usage: scripts/containerd start DIR [--no-outbound]
       scripts/containerd stop DIR [--purge]
       scripts/containerd status DIR

A private containerd: root, state, socket, log, pod network and its addresses all belong to DIR.

start   Starts it, or finds it running; gives it the images localhost/reprise/pause:1 and
        localhost/reprise/busybox:1. It runs on after this command and after logging out.
        --no-outbound  pods reach each other and this machine only; without it IP forwarding is
                       switched on for the whole machine
stop    Ends its pods and the daemon and takes away what they put on this machine. Images and log
        stay in DIR for the next start.
        --purge  deletes DIR too
status  Tells how it is; the exit code is 0 if it runs and 3 if not.

CONTAINERD_BIN_DIR  folder with another containerd, containerd-shim-runc-v2 and ctr than PATH's;
                    scripts/containerd-line has some
CONTAINERD_RUNTIME  what runs the containers, such as crun; runc if not given
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      purge: { type: 'boolean', default: false },
      'no-outbound': { type: 'boolean', default: false },
    },
  });
  const [command, dir, ...more] = positionals;
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (dir !== undefined && more.length === 0) {
    if (command === 'start') return start(dir, !values['no-outbound']);
    if (command === 'stop') return stop(dir, values.purge);
    if (command === 'status') return status(dir);
  }
  process.stderr.write(HELP);
  return 2;
}

async function start(dir: string, outbound: boolean): Promise<number> {
  const { pid, version, socket } = await startContainerd(dir, { outbound });
  console.log(`containerd ${version} runs as process ${pid}; use it with`);
  console.log(`  --containerd ${socket}`);
  return 0;
}

async function stop(dir: string, purge: boolean): Promise<number> {
  await stopContainerd(dir, { purge });
  console.log(`Stopped${purge ? ' and deleted' : ''}: ${dir}`);
  return 0;
}

async function status(dir: string): Promise<number> {
  const found = await containerdStatus(dir);
  if (!found) {
    console.log(`Not running: ${dir}`);
    return 3; // As systemctl and service scripts have it.
  }
  for (const [name, value] of Object.entries(found)) console.log(`${name.padEnd(12)}${value}`);
  return 0;
}

if (import.meta.main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    tellError(error);
    process.exitCode = isUsageError(error) ? 2 : 1;
  }
}
