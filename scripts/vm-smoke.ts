/**
 * The smoke tests in a virtual machine as one stage of scripts/test, with a limit to its time.
 *
 * What does not end in time has failed: a stage that quietly became slow, or was left out, would no
 * longer say that machines with systemd and cgroup v2 work.
 */
import { join } from 'node:path';
import { execa } from 'execa';
import { add, fromWords, nothing } from './tap.ts';
import type { Tally } from './tap.ts';

/** From nothing, with the disk still to be built, it takes 6 minutes on a machine with little else to do. */
const WITHIN_MINUTES = 12;
/** Ending it means ending the guest and deleting what is half built. */
const ENDS_WITHIN_MS = 60_000;

/** Boots a machine of this checkout, runs the tests of the service in it, and tells how they went. */
export async function smokeInMachine(): Promise<Tally> {
  const script = join(import.meta.dirname, 'vm');
  const run = execa(script, ['smoke', '--release', 'trixie', '--runtime', 'crun'], {
    stdin: 'ignore',
    stderr: 'inherit',
    reject: false,
    timeout: WITHIN_MINUTES * 60_000,
    forceKillAfterDelay: ENDS_WITHIN_MS,
  });
  let told: Tally | undefined;
  for await (const line of run) {
    told = fromWords(line) ?? told;
    console.log(line);
  }
  const { failed, timedOut } = await run;
  if (timedOut) console.log(`not ok: ended after ${WITHIN_MINUTES} minutes`);
  const tally = told ?? nothing;
  return failed && tally.failed === 0 ? add(tally, { ...nothing, failed: 1 }) : tally;
}
