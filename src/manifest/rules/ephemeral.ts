/** What an ephemeral container looks at, and that those that are there stay as they are. */
import { isDeepStrictEqual } from 'node:util';
import type { EphemeralContainer } from '../../pod/pod.ts';
import { didYouMean } from '../did-you-mean.ts';
import { forbidden, quoted } from '../manifest-error.ts';
import type { Problem } from '../manifest-error.ts';
import type { RawEphemeralContainer } from '../schema/ephemeral-container.ts';
import type { Partly } from '../sound.ts';
import { placed, placedContainers } from './rule.ts';
import type { PartlyPod, RuleProblem } from './rule.ts';

/** A target is one of the pod's own containers. */
export function* checkTargets(pod: PartlyPod): Generator<RuleProblem> {
  const own = placedContainers(pod).filter(({ kind }) => kind !== 'ephemeral');
  const names = own.flatMap(({ container }) => container.name ?? []);
  const list = pod.spec?.ephemeralContainers as readonly Partly<RawEphemeralContainer>[];
  for (const { value, path } of placed(list, ['spec', 'ephemeralContainers'])) {
    const { targetContainerName: target } = value;
    if (target === undefined || names.includes(target)) continue;
    yield {
      path: [...path, 'targetContainerName'],
      message: `Not found: ${quoted(target)}`,
      hint: didYouMean(target, names) ?? `name one of this pod: ${names.join(', ')}`,
    };
  }
}

/** What has been added stays, in whatever order: it may be running, and cannot be run again. */
export function* checkUnchanged(
  known: readonly EphemeralContainer[],
  wanted: readonly EphemeralContainer[],
): Generator<Problem> {
  for (const container of known) {
    const now = wanted.find(({ name }) => name === container.name);
    if (now !== undefined && isDeepStrictEqual(now, container)) continue;
    const what = now === undefined ? 'removed' : 'changed';
    const message = `existing ephemeral containers ${quoted(container.name)} may not be ${what}`;
    yield {
      path: ['spec', 'ephemeralContainers'],
      message: forbidden(message),
      hint: 'add another one, with a name of its own',
    };
  }
}
