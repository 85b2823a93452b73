/**
 * `scripts/vm smoke|bench|demo|e2e|full|shell|purge`: a machine as people have it, in an emulator: Debian with systemd
 * and cgroup v2, made ready by scripts/provision, and the tests run inside.
 *
 * Everything is kept in .cache/vm/: a disk is built once, end-to-end tests that were interrupted or
 * failed go on with the files that have not passed, as long as what they test is the same.
 * Read next: virtual-machine/image.ts, machine.ts, stages.ts.
 */
import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { add, inWords, nothing } from './tap.ts';
import type { Tally } from './tap.ts';
import { isUsageError, tellError } from './tell-error.ts';
import { buildImage, isRelease, RELEASES } from './virtual-machine/image.ts';
import { bootMachine } from './virtual-machine/machine.ts';
import { packPayload } from './virtual-machine/payload.ts';
import { say } from './virtual-machine/progress.ts';
import { provisionedDisk } from './virtual-machine/provisioned.ts';
import {
  bench,
  demo,
  endToEnd,
  facts,
  RUNTIMES,
  smoke,
  useRuntime,
} from './virtual-machine/stages.ts';
import type { Guest } from './virtual-machine/stages.ts';

const HELP = `Usage: scripts/vm COMMAND [--release ${RELEASES.join('|')}] [--runtime runc|crun|both] [--again]
       scripts/vm purge

Builds a Debian with systemd and cgroup v2, boots it with qemu (with KVM if a guest boots with it,
else emulated, which is some 20 times slower), and provisions it with scripts/provision. Then

smoke          tests the service reprise: a restart in place, and what systemd and the kernel make of pods
bench          measures restarts
demo           runs scripts/demo
e2e [FILE...]  runs the end-to-end tests
full           does all of these
shell          opens a shell in it
purge          deletes all that was built

--release NAME   Debian's; default: trixie
--runtime NAME   what runs containers: runc, crun, or both in turn; default: runc
--again          runs end-to-end tests again that have passed in an earlier run of the same checkout

Results are in .cache/vm/RELEASE/results-RUNTIME/. The guest has no network. The last line tells how
many tests passed and failed.
`;

const cache = join(dirname(import.meta.dirname), '.cache', 'vm');

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      release: { type: 'string', default: 'trixie' },
      runtime: { type: 'string', default: 'runc' },
      again: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { release, runtime, again } = values;
  const [command = '', ...files] = positionals;
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (command === 'purge') {
    await rm(cache, { recursive: true, force: true });
    return 0;
  }
  const stages = stagesOf(command, files);
  const runtimes = RUNTIMES.filter((one) => runtime === one || runtime === 'both');
  if (!stages || !isRelease(release) || runtimes.length === 0) {
    process.stderr.write(HELP);
    return 2;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => stop.abort(new Error(`ended by ${name}`)));
  }
  const dir = join(cache, release);
  const [image, payload] = await sideBySide(stop, [
    buildImage(release, dir, stop.signal),
    packPayload(join(cache, 'payload'), stop.signal),
  ]);
  const boot = await provisionedDisk(image, payload, dir, stop.signal);
  await using machine = await bootMachine(boot, stop.signal);
  if (command === 'shell') return await machine.shell();

  const tested = `${basename(boot.disk, '.qcow2')}, checkout ${payload.checkout}`;
  let total = nothing;
  for (const one of runtimes) {
    const results = join(dir, `results-${one}`);
    await mkdir(results, { recursive: true });
    const guest: Guest = { machine, runtime: one, results, tested, again, signal: stop.signal };
    await useRuntime(guest);
    await facts(guest);
    for (const stage of stages) total = add(total, await stage(guest));
  }
  say(`results are in ${dir}`);
  console.log(inWords(total));
  return total.passed > 0 && total.failed === 0 ? 0 : 1;
}

/** What both come to; if one fails, the other is ended. */
async function sideBySide<One, Other>(
  stop: AbortController,
  work: readonly [Promise<One>, Promise<Other>],
): Promise<[One, Other]> {
  try {
    return await Promise.all(work);
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(work);
    throw error;
  }
}

type Stage = (guest: Guest) => Promise<Tally>;

/** Undefined if there is no such command. */
function stagesOf(command: string, files: readonly string[]): readonly Stage[] | undefined {
  const tests: Stage = (guest) => endToEnd(guest, files);
  const commands: Readonly<Record<string, readonly Stage[]>> = {
    smoke: [smoke],
    bench: [bench],
    demo: [demo],
    e2e: [tests],
    full: [smoke, bench, demo, tests],
    shell: [],
  };
  return Object.hasOwn(commands, command) ? commands[command] : undefined;
}

try {
  process.exitCode = await main();
} catch (error) {
  tellError(error);
  process.exitCode = isUsageError(error) ? 2 : 1;
}
