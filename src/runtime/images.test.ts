import { status } from '@grpc/grpc-js';
import test from 'ava';
import type { Container } from '../pod/pod.ts';
import { serve } from '../testing/containerd-server.ts';
import { criOver } from './cri.ts';
import type { Image } from './generated/runtime/v1/Image.ts';
import { ensureImage, ImageError } from './images.ts';
import type { ReadyImage } from './images.ts';

interface Story {
  readonly image?: string;
  readonly policy: Container['imagePullPolicy'];
  readonly present?: Image;
  readonly registry?: 'has it' | 'refuses';
}

/** What came of it, and whether the registry was asked. */
async function tell({ image = 'box', policy, present, registry = 'refuses' }: Story) {
  const store = new Map(present ? [['box:latest', present]] : []);
  const pulls: string[] = [];
  await using server = await serve({
    images: {
      ImageStatus: (call, answer) => {
        answer(null, { image: store.get(call.request.image?.image ?? '') ?? null });
      },
      PullImage: (call, answer) => {
        const name = call.request.image?.image ?? '';
        pulls.push(name);
        if (registry === 'refuses') {
          answer({ code: status.UNKNOWN, details: 'connection refused' });
          return;
        }
        store.set(name, { id: 'sha256:new' });
        answer(null, { imageRef: 'sha256:new' });
      },
    },
  });
  const signal = AbortSignal.timeout(5000);
  const outcome: ReadyImage | ImageError = await ensureImage(
    criOver(server.containerd),
    image,
    policy,
    signal,
  ).catch((error: unknown) => {
    if (error instanceof ImageError) return error;
    throw error;
  });
  const result = outcome instanceof ImageError ? outcome.reason : outcome.ref;
  return { result, pulls, outcome };
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

test('a failed pull says what the registry said', async (t) => {
  const { outcome } = await tell({ policy: 'IfNotPresent' });
  t.like(outcome, { message: 'Failed to pull image "box:latest": connection refused' });
});
