/** Privileges that contradict one another. */
import { invalidValue } from '../manifest-error.ts';
import type { Problem } from '../manifest-error.ts';
import { placedContainers } from './rule.ts';
import type { PartlyPod } from './rule.ts';

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
