/**
 * Tells the waits after failed pulls: the failure is shown as ErrImagePull for a moment, the wait
 * for the next try as ImagePullBackOff.
 *
 * Source: the kubelet's images/image_manager.go. There the two follow from two looks at the pod;
 * tools wait for either of them.
 */
import type { Decision, Look } from './decision.ts';
import { earlier } from './decision.ts';
import { isInWait } from './hold-back.ts';
import type { Memory } from './memory.ts';
import type { Failure, Observed } from './observed.ts';
import { own } from './own.ts';
import { everyContainerOf } from './pod.ts';

/** How long a failed pull is shown as what it is. */
const SHOWN_AS_FAILURE_MS = 1_000;

/** The decision, with an event and a note in the memory for every wait that begins. */
export function tellPullBackoffs(look: Look, decision: Decision): Decision {
  if (decision.memory.ending !== undefined) return decision;
  return everyContainerOf(look.pod).reduce((sofar, { container: { name, image } }) => {
    const failure = pullFailure(look.observed, name);
    if (failure === undefined || isPullBackoff(sofar.memory, name, failure)) return sofar;
    const at = failure.at + SHOWN_AS_FAILURE_MS;
    if (look.now < at) return { ...sofar, lookAgainAt: earlier(sofar.lookAgainAt, at) };
    const { memory, events } = sofar;
    return {
      ...sofar,
      memory: { ...memory, pullBackoffs: { ...memory.pullBackoffs, [name]: failure.at } },
      events: [
        ...events,
        {
          type: 'Normal',
          reason: 'BackOff',
          message: `Back-off pulling image "${failure.image ?? image}"`,
          container: name,
        },
        { type: 'Warning', reason: 'Failed', message: 'Error: ImagePullBackOff', container: name },
      ],
    };
  }, decision);
}

/** Whether this failed pull has turned into the wait for the next one. */
export function isPullBackoff({ pullBackoffs }: Memory, name: string, { at }: Failure): boolean {
  return own(pullBackoffs, name) === at;
}

/** The failed pull of an image, for whichever container of the pod, while the next try is waited for. */
export function pullInWait(
  { observed, memory }: Pick<Look, 'observed'> & { readonly memory: Memory },
  image: string,
  now: number,
): Failure | undefined {
  return Object.values(observed.failures).find(
    (one) => one.reason === 'ErrImagePull' && one.image === image && isInWait(one, memory, now),
  );
}

function pullFailure({ failures }: Observed, name: string): Failure | undefined {
  const failure = failures[`create ${name}`];
  return failure?.reason === 'ErrImagePull' ? failure : undefined;
}
