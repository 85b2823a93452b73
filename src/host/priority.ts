/**
 * Lets this process run before others that want the processor in the same moment.
 *
 * A restart ends and starts many processes at once. Left to its turn among them, the agent would wait
 * for milliseconds at each step, while all they do next is to wait for the agent.
 */
import fs from 'node:fs';
import os from 'node:os';
import { isErrno } from './errno.ts';

/** As nice(1) counts it: nine times the share of a usual process. */
const NICENESS = -10;
const autogroup = '/proc/self/autogroup';

/** Does what the machine lets it do; says what it refused, which costs time and nothing else. */
export function comeFirst(): { readonly refused?: unknown } {
  try {
    raiseSession();
    // Each thread has its own, and those of the garbage collector are waited for. Threads and
    // processes that are made later have it from the one that makes them.
    for (const thread of fs.readdirSync('/proc/self/task')) {
      os.setPriority(Number(thread), NICENESS);
    }
    return {};
  } catch (error) {
    return { refused: error };
  }
}

/**
 * Outside cgroups of its own a process competes as a part of its session first (sched(7), "The autogroup
 * feature"). The session is ours to raise if we lead it, as a service does; a user's terminal is not.
 */
function raiseSession(): void {
  // After the name, which may hold anything: state, parent, process group, session (proc_pid_stat(5)).
  const fields = fs.readFileSync('/proc/self/stat', 'utf8').replace(/^.*\)/s, '').trim().split(' ');
  if (Number(fields[3]) !== process.pid) return;
  try {
    fs.writeFileSync(autogroup, String(NICENESS), { flag: 'r+' });
  } catch (error) {
    // A kernel without it, or one in which all is in one group.
    if (!isErrno(error, 'ENOENT', 'EINVAL')) throw error;
  }
}
