import { status } from '@grpc/grpc-js';
import test from 'ava';
import type { Container } from '../pod/pod.ts';
import { serve } from '../testing/containerd-server.ts';
import { criOver } from './cri.ts';
import type { AuthConfig } from './generated/runtime/v1/AuthConfig.ts';
import type { Image } from './generated/runtime/v1/Image.ts';
import { ensureImage, ImageError } from './images.ts';
import type { ReadyImage } from './images.ts';

interface Story {
  readonly image?: string;
  readonly policy: Container['imagePullPolicy'];
  readonly present?: Image;
  readonly registry?: 'has it' | 'refuses' | 'knows bob';
  readonly credentials?: readonly AuthConfig[];
  /** Others have pulled it, with credentials. */
  readonly isForOthers?: boolean;
}

/** What came of it, and whether the registry was asked. */
async function tell(story: Story) {
  const {
    image = 'box',
    policy,
    present,
    registry = 'refuses',
    credentials = [],
    isForOthers,
  } = story;
  const mayUse = (): boolean => isForOthers !== true;
  const store = new Map(present ? [['box:latest', present]] : []);
  const pulls: string[] = [];
  let pulling = 0;
  await using server = await serve({
    images: {
      ImageStatus: (call, answer) => {
        answer(null, { image: store.get(call.request.image?.image ?? '') ?? null });
      },
      PullImage: (call, answer) => {
        const name = call.request.image?.image ?? '';
        const user = call.request.auth?.username ?? '';
        pulls.push(user === '' ? name : `${name} as ${user}`);
        if (registry === 'refuses') {
          answer({ code: status.UNKNOWN, details: 'connection refused' });
          return;
        }
        if (registry === 'knows bob' && user !== 'bob') {
          answer({ code: status.UNKNOWN, details: `${user || 'nobody'} is not bob` });
          return;
        }
        store.set(name, { id: 'sha256:new' });
        answer(null, { imageRef: 'sha256:new' });
      },
    },
  });
  const { signal } = new AbortController();
  const outcome: ReadyImage | ImageError = await ensureImage(
    criOver(server.containerd),
    image,
    { policy, credentials: () => credentials, mayUse, onPull: () => (pulling += 1) },
    signal,
  ).catch((error: unknown) => {
    if (error instanceof ImageError) return error;
    throw error;
  });
  const result = outcome instanceof ImageError ? outcome.reason : outcome.ref;
  return { result, pulls, pulling, outcome };
}

const old: Image = { id: 'sha256:old' };
const stories: Record<string, Story & { result: string; pulls?: string[] }> = {
  'IfNotPresent asks nobody for what is there': {
    policy: 'IfNotPresent',
    present: old,
    result: 'sha256:old',
  },
  'IfNotPresent pulls what is not there': {
    policy: 'IfNotPresent',
    registry: 'has it',
    result: 'sha256:new',
    pulls: ['box:latest'],
  },
  'Always pulls even what is there': {
    policy: 'Always',
    present: old,
    registry: 'has it',
    result: 'sha256:new',
    pulls: ['box:latest'],
  },
  'Always needs the registry': {
    policy: 'Always',
    present: old,
    result: 'ErrImagePull',
    pulls: ['box:latest'],
  },
  'Never takes what is there': { policy: 'Never', present: old, result: 'sha256:old' },
  'Never does not pull': {
    policy: 'Never',
    registry: 'has it',
    result: 'ErrImageNeverPull',
  },
  'credentials are tried in turn, until one is taken': {
    policy: 'Always',
    registry: 'knows bob',
    credentials: [{ username: 'ann' }, { username: 'bob' }, { username: 'eve' }],
    result: 'sha256:new',
    pulls: ['box:latest as ann', 'box:latest as bob'],
  },
  'IfNotPresent asks for an image that others have pulled': {
    policy: 'IfNotPresent',
    present: old,
    isForOthers: true,
    registry: 'has it',
    result: 'sha256:new',
    pulls: ['box:latest'],
  },
  'IfNotPresent does not get what others have pulled if the registry says no': {
    policy: 'IfNotPresent',
    present: old,
    isForOthers: true,
    result: 'ErrImagePull',
    pulls: ['box:latest'],
  },
  'Never does not get what others have pulled': {
    policy: 'Never',
    present: old,
    isForOthers: true,
    registry: 'has it',
    result: 'ErrImageNeverPull',
  },
  'a name that is none is found before anybody is asked': {
    image: 'Not A Name',
    policy: 'Always',
    result: 'InvalidImageName',
  },
};
for (const [title, { result, pulls = [], ...story }] of Object.entries(stories)) {
  test(title, async (t) => {
    const told = await tell(story);
    t.is(told.result, result);
    t.deepEqual(told.pulls, pulls);
    t.is(told.pulling, pulls.length > 0 ? 1 : 0, 'a pull is announced, once');
  });
}

const users: Record<string, readonly [Image, ReadyImage['user']]> = {
  'an image that names no user runs as root': [{}, { uid: 0 }],
  'an image may name its user by number': [{ uid: { value: '1234' } }, { uid: 1234 }],
  'an image may name its user by name': [{ username: 'bob' }, { name: 'bob' }],
};
for (const [title, [image, user]] of Object.entries(users)) {
  test(title, async (t) => {
    const { outcome } = await tell({ policy: 'Never', present: { ...old, ...image } });
    t.like(outcome, { user });
  });
}

test('a failed pull says what the registry said, about the image as it was asked for', async (t) => {
  const { outcome } = await tell({ policy: 'IfNotPresent' });
  t.like(outcome, {
    message: 'Failed to pull image "box": connection refused',
    details: 'connection refused',
  });
});

test('every refusal is told when no credential is taken', async (t) => {
  const credentials = [{ username: 'ann' }, { username: 'eve' }];
  const { outcome } = await tell({ policy: 'Always', registry: 'knows bob', credentials });
  t.like(outcome, { reason: 'ErrImagePull', details: 'ann is not bob; eve is not bob' });
});

const names: Record<string, { image: string; has: Image; shown: readonly [string, string] }> = {
  'an image from a registry is shown by its digest there': {
    image: 'box',
    has: {
      repoTags: ['docker.io/library/other:1', 'docker.io/library/box:latest'],
      repoDigests: ['docker.io/library/other@sha256:a', 'docker.io/library/box@sha256:a'],
    },
    shown: ['docker.io/library/box:latest', 'docker.io/library/box@sha256:a'],
  },
  'an image that was imported has no digest but its id': {
    image: 'box',
    has: { repoTags: ['box:latest'] },
    shown: ['box:latest', 'sha256:old'],
  },
  'an image that is asked for by its id only is shown with a name it has': {
    image: 'box',
    has: { repoTags: ['registry:5000/x:1'], repoDigests: ['registry:5000/x@sha256:a'] },
    shown: ['registry:5000/x:1', 'registry:5000/x@sha256:a'],
  },
};
for (const [title, { image, has, shown }] of Object.entries(names)) {
  test(title, async (t) => {
    const { outcome } = await tell({ image, policy: 'Never', present: { ...old, ...has } });
    t.like(outcome, { name: shown[0], digest: shown[1] });
  });
}
