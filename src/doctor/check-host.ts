/** Whether the machine itself has what an agent needs. */
import { RepriseError, messageOf } from '../errors.ts';
import { findHierarchy } from '../host/cgroups.ts';
import { fail, ok, warn } from './finding.ts';
import type { Finding } from './finding.ts';

export function checkHost(): readonly Finding[] {
  return [checkUser(), checkCgroups()];
}

function checkUser(): Finding {
  return process.geteuid?.() === 0
    ? ok('user', 'root')
    : fail(
        'user',
        `${process.geteuid?.() ?? '?'}, not root`,
        'use sudo (sudo -E keeps your environment)',
      );
}

function checkCgroups(): Finding {
  try {
    const hierarchy = findHierarchy();
    if (hierarchy.version === 2) return ok('cgroups', `version 2 at ${hierarchy.root}`);
    const controllers = Object.keys(hierarchy.controllers);
    const missing = ['memory', 'cpu', 'freezer'].filter((name) => !controllers.includes(name));
    return missing.length === 0
      ? ok('cgroups', `version 1 at ${hierarchy.root}`)
      : warn(
          'cgroups',
          `version 1 at ${hierarchy.root}, without ${missing.join(', ')}`,
          'mount these controllers, or boot with cgroup v2: limits, or the kill of a whole pod at once, are missing',
        );
  } catch (error) {
    const next = error instanceof RepriseError ? error.next : undefined;
    return fail('cgroups', messageOf(error), next ?? 'mount /sys/fs/cgroup');
  }
}
