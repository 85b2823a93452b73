/** Whether the machine itself has what an agent needs. */
import { RepriseError, messageOf } from '../errors.ts';
import { findHierarchy } from '../host/cgroups.ts';
import { isOutOfReach, readResolver } from '../host/resolver.ts';
import type { NodeResolver } from '../host/resolver.ts';
import { fail, ok, warn } from './finding.ts';
import type { Finding } from './finding.ts';

export function checkHost(resolvConf?: string): readonly Finding[] {
  return [checkUser(), checkCgroups(), checkResolver(readResolver(resolvConf))];
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

/** Whether the name servers that pods get can be of use to them. */
export function checkResolver(resolver: NodeResolver): Finding {
  const { file, config } = resolver;
  const servers = `${config.servers.join(', ') || 'no name server'} (${file || 'none wanted'})`;
  const next =
    'name a file with servers that pods can reach: --resolv-conf of reprise agent and reprise run';
  if (isOutOfReach(resolver)) {
    return warn('resolver', `${servers}: on the loopback, which a pod has for itself`, next);
  }
  return config.servers.length > 0 || file === ''
    ? ok('resolver', servers)
    : warn('resolver', servers, next);
}
