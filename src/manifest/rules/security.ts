/** Privileges that contradict one another. */
import { forbidden, invalidValue, requiredValue } from '../manifest-error.ts';
import type { Path, Problem } from '../manifest-error.ts';
import { placedContainers } from './rule.ts';
import type { PartlyPod, RuleProblem } from './rule.ts';

/** What has all privileges cannot be kept from getting more. */
export function* checkPrivileges(pod: PartlyPod): Generator<Problem> {
  for (const { container, path } of placedContainers(pod)) {
    const context = container.securityContext;
    if (context?.allowPrivilegeEscalation !== false) continue;
    const problem = (other: string): Problem => ({
      path: [...path, 'securityContext', 'allowPrivilegeEscalation'],
      message: invalidValue(false, `cannot be false together with ${other}`),
      hint: 'remove one of the two',
    });
    if (context.privileged) yield problem('privileged: true');
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) yield problem('CAP_SYS_ADMIN');
  }
}

/** A pod sees its own processes or the node's. */
export function* checkProcessNamespace({ spec }: PartlyPod): Generator<Problem> {
  if (!spec?.shareProcessNamespace || !spec.hostPID) return;
  yield {
    path: ['spec', 'shareProcessNamespace'],
    message: invalidValue(true, 'cannot be combined with hostPID'),
    hint: "leave it out: hostPID shares the node's process namespace",
  };
}

/** A profile of the node has a name; the other kinds have none. */
export function* checkProfiles(pod: PartlyPod): Generator<RuleProblem> {
  const contexts = [
    { context: pod.spec?.securityContext, path: ['spec', 'securityContext'] },
    ...placedContainers(pod).map(({ container, path }) => ({
      context: container.securityContext,
      path: [...path, 'securityContext'],
    })),
  ];
  for (const { context, path } of contexts) {
    yield* checkProfile(context?.seccompProfile, [...path, 'seccompProfile']);
    yield* checkProfile(context?.appArmorProfile, [...path, 'appArmorProfile']);
  }
}

function* checkProfile(
  profile: { readonly type?: string; readonly localhostProfile?: string } | undefined,
  path: Path,
): Generator<RuleProblem> {
  if (profile?.type === undefined) return;
  const at = [...path, 'localhostProfile'];
  const isNamed = profile.localhostProfile !== undefined;
  if (profile.type === 'Localhost' && !isNamed) {
    const message = requiredValue('the type Localhost needs the name of a profile');
    const hint = 'add "localhostProfile", or use the type RuntimeDefault';
    yield { path: at, near: [...path, 'type'], message, hint };
  }
  if (profile.type !== 'Localhost' && isNamed) {
    const hint = 'remove it, or use the type Localhost';
    yield { path: at, message: forbidden('it goes with the type Localhost only'), hint };
  }
}

/** Users of its own are of no use to a pod that shares the node's namespaces. */
export function* checkUserNamespace({ spec }: PartlyPod): Generator<Problem> {
  if (spec?.hostUsers !== false) return;
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const) {
    if (!spec[field]) continue;
    yield {
      path: ['spec', field],
      message: forbidden('it cannot be combined with hostUsers: false'),
      hint: `remove ${field} or hostUsers`,
    };
  }
}

/** All of /proc is shown only to those whose root is nobody on the node. */
export function* checkProcMounts(pod: PartlyPod): Generator<RuleProblem> {
  if (pod.spec?.hostUsers === false) return;
  for (const { container, path } of placedContainers(pod)) {
    if (container.securityContext?.procMount !== 'Unmasked') continue;
    yield {
      path: [...path, 'securityContext', 'procMount'],
      message: invalidValue('Unmasked', 'needs hostUsers: false'),
      hint: 'add "hostUsers: false" to the spec, or leave procMount out',
      dependsOn: ['spec', 'hostUsers'],
    };
  }
}
