import test from 'ava';
import type { ContainerSecurityContext, PodSecurityContext } from '../pod/pod.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import type { ImageUser } from './images.ts';
import { rootRefusal } from './non-root.ts';

type Case = readonly [
  pod: Partial<PodSecurityContext>,
  own: Partial<ContainerSecurityContext>,
  image: ImageUser,
  refused: RegExp | undefined,
];

const root: ImageUser = { uid: 0 };
const cases: Record<string, Case> = {
  'nothing asked for allows root': [{}, {}, root, undefined],
  'an image of root is refused': [{ runAsNonRoot: true }, {}, root, /image will run as root/],
  'an image of another user is fine': [{ runAsNonRoot: true }, {}, { uid: 1 }, undefined],
  'a user by name cannot be judged': [
    {},
    { runAsNonRoot: true },
    { name: 'bob' },
    /non-numeric user \(bob\)/,
  ],
  'runAsUser settles it, whatever the image says': [
    { runAsNonRoot: true, runAsUser: 5 },
    {},
    root,
    undefined,
  ],
  'runAsUser 0 breaks the promise': [
    { runAsNonRoot: true, runAsUser: 5 },
    { runAsUser: 0 },
    { uid: 1 },
    /container's runAsUser breaks non-root policy/,
  ],
  'a container may take the promise back': [
    { runAsNonRoot: true },
    { runAsNonRoot: false },
    root,
    undefined,
  ],
};
for (const [title, [pod, own, image, refused]] of Object.entries(cases)) {
  test(title, (t) => {
    const plain = aContainer('main');
    const container = { ...plain, securityContext: { ...plain.securityContext, ...own } };
    const securityContext = { supplementalGroups: [], sysctls: [], ...pod };
    const refusal = rootRefusal(aPod([], [container], { securityContext }), container, image);
    if (refused) t.regex(refusal ?? '', refused);
    else t.is(refusal, undefined);
  });
}
