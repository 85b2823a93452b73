/** Whether containerd can run pods, and what it can do that not every version can. */
import { RepriseError, messageOf } from '../errors.ts';
import type { RuntimeFeatures } from '../pod/node-facts.ts';
import { findCgroupDriver } from '../runtime/cgroup-driver.ts';
import { connectContainerd } from '../runtime/connect.ts';
import type { Cri } from '../runtime/cri.ts';
import { criOver } from '../runtime/cri.ts';
import { findDeviceWays } from '../runtime/device-ways.ts';
import type { RuntimeDeviceWays } from '../runtime/device-ways.ts';
import { findFeatures } from '../runtime/features.ts';
import { fail, ok, warn } from './finding.ts';
import type { Finding } from './finding.ts';
import { inTime, NoAnswer } from './in-time.ts';

/** What was found out about containerd, before it answered no more. */
export interface RuntimeCheck {
  readonly findings: readonly Finding[];
  /** Absent if it could not be asked. */
  readonly ways?: RuntimeDeviceWays;
}

/** Much longer than all the calls take together, but on a machine in trouble. */
const WITHIN_MS = 20_000;

export async function checkContainerd(socket: string, withinMs = WITHIN_MS): Promise<RuntimeCheck> {
  const findings: Finding[] = [];
  const found: { ways?: RuntimeDeviceWays } = {};
  try {
    using containerd = connectContainerd(socket);
    const cri = criOver(containerd);
    await inTime(withinMs, async (signal) => {
      const version = await cri.version(signal);
      findings.push(ok('containerd', `${version.runtimeVersion} at ${socket}`));
      found.ways = await findDeviceWays(cri, signal);
      findings.push(...(await conditions(cri, signal)));
      findings.push(ok('cgroup driver', await findCgroupDriver(cri, signal)), cdi(found.ways));
      findings.push(abilities(await findFeatures(cri, signal)));
    });
  } catch (error) {
    findings.push(failure(error, socket));
  }
  return { findings, ways: found.ways };
}

function failure(error: unknown, socket: string): Finding {
  if (error instanceof NoAnswer) {
    const next = 'see what it waits for: journalctl -u containerd; it may have to be restarted';
    return fail('containerd', `${error.message} at ${socket}`, next);
  }
  const next = error instanceof RepriseError ? error.next : undefined;
  const what = next ?? 'start it, or name its socket: --containerd or CONTAINERD_ADDRESS';
  return fail('containerd', messageOf(error), what);
}

const readable: Readonly<Record<string, string>> = {
  RuntimeReady: 'CRI',
  NetworkReady: 'pod network (CNI)',
};

async function conditions(cri: Cri, signal: AbortSignal): Promise<readonly Finding[]> {
  const { status } = await cri.status(signal);
  return (status?.conditions ?? []).flatMap(({ type, status: isMet, reason, message }) => {
    const subject = readable[type];
    if (subject === undefined) return [];
    if (isMet) return [ok(subject, 'ready')];
    const why = `not ready: ${reason}${message === '' ? '' : `: ${message}`}`;
    return type === 'NetworkReady'
      ? [
          warn(
            subject,
            why,
            'install CNI plugins, and a network in /etc/cni/net.d (packaging/10-reprise.conflist is one); pods with hostNetwork run without',
          ),
        ]
      : [fail(subject, why, 'see the log of containerd')];
  });
}

/** Without CDI devices are given all the same, but for hooks. */
function cdi({ cdiSpecDirs }: RuntimeDeviceWays): Finding {
  return cdiSpecDirs === undefined
    ? ok(
        'CDI',
        'not known to this containerd, or off: specifications are applied by reprise, without hooks',
      )
    : ok('CDI', `applied by containerd, from ${cdiSpecDirs.join(', ')}`);
}

/** Of the default handler; a pod that needs what is not there is refused with the reason. */
function abilities({ strictSupplementalGroups, handlers }: RuntimeFeatures): Finding {
  const all = Object.entries({
    'supplementalGroupsPolicy: Strict': strictSupplementalGroups,
    'hostUsers: false': handlers['']?.userNamespaces === true,
    recursiveReadOnly: handlers['']?.recursiveReadOnlyMounts === true,
  });
  const [can, cannot] = [true, false].map((is) =>
    all.flatMap(([field, isThere]) => (isThere === is ? [field] : [])),
  );
  return ok('optional fields', `${inList(can)}; refused: ${inList(cannot)}`);
}

function inList(names: readonly string[] = []): string {
  return names.length === 0 ? 'none' : names.join(', ');
}
