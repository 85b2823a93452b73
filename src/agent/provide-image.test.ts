import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { blankMemory } from '../pod/memory.ts';
import type { Secret } from '../pod/objects.ts';
import type { Failure } from '../pod/observed.ts';
import { criOver } from '../runtime/cri.ts';
import { ImageError } from '../runtime/images.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import { serve } from '../testing/containerd-server.ts';
import type { Means, Occasion } from './means.ts';
import { provideImage } from './provide-image.ts';
import { PulledImages } from './pulled-images.ts';
import { SharedPullError, SharedPulls } from './shared-pulls.ts';

const image = 'a.test/private:1';
const auths = { 'a.test': { username: 'bob', password: 'open sesame' } };
const secret = {
  kind: 'Secret',
  metadata: { name: 'regcred', namespace: 'default' },
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
} as unknown as Secret;

type Answer = 'brings it' | 'refuses' | 'brings it and does not say so';

/** A registry that does as it is told, and pods with and without credentials that ask for the image. */
async function aNode(t: { teardown: (end: () => void) => void }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-provide-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  let present = false;
  let answers: Answer = 'refuses';
  const server = await serve({
    images: {
      ImageStatus: (_call, answer) => answer(null, { image: present ? { id: 'sha256:1' } : null }),
      PullImage: (_call, answer) => {
        present ||= answers !== 'refuses';
        if (answers === 'refuses') answer({ code: status.UNKNOWN, details: '401' });
        else if (answers === 'brings it') answer(null, { imageRef: 'sha256:1' });
        else answer({ code: status.DEADLINE_EXCEEDED, details: 'late' });
      },
    },
  });
  const told: string[] = [];
  const failures: Record<string, Failure> = {};
  const asks = async (
    secrets: string[],
    registry: Answer = 'refuses',
    now = 0,
  ): Promise<string> => {
    answers = registry;
    // Each in a new life of the agent: nothing but what is on disk is known.
    const pulledImages = new PulledImages(folder);
    if (pulledImages.load().length > 0) throw new Error('what was kept cannot be read');
    const means = {
      cri: criOver(server.containerd),
      pulledImages,
      pulls: new SharedPulls(),
      now: () => now,
    };
    const container = aContainer('main', { image });
    const spec = { imagePullSecrets: secrets.map((name) => ({ name })) };
    const occasion = {
      pod: aPod([], [container], spec),
      find: (_kind: string, name: string) => (name === 'regcred' ? secret : undefined),
      tell: ({ reason }: { reason: string }) => told.push(reason),
      latest: () => ({ observed: { failures }, memory: blankMemory }),
      signal: new AbortController().signal,
    };
    try {
      await provideImage(means as unknown as Means, container, occasion as unknown as Occasion);
      return 'has it';
    } catch (error) {
      if (error instanceof SharedPullError) return error.message;
      if (error instanceof ImageError) return error.reason;
      throw error;
    }
  };
  const bringByHand = (): void => {
    present = true;
  };
  return {
    asks,
    told,
    failures,
    bringByHand,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

test('what was pulled with credentials is not for others, in later lives as well', async (t) => {
  await using node = await aNode(t);
  t.is(await node.asks(['regcred'], 'brings it'), 'has it');
  t.is(await node.asks([]), 'ErrImagePull');
  t.is(await node.asks([]), 'ErrImagePull');
  t.is(await node.asks(['regcred']), 'has it');
});

test('nor is what a pull may have brought that nobody has heard the end of', async (t) => {
  await using node = await aNode(t);
  t.is(await node.asks(['regcred'], 'brings it and does not say so'), 'ErrImagePull');
  t.is(await node.asks([]), 'ErrImagePull');
  t.is(await node.asks([]), 'ErrImagePull', 'the refusal of another pod changes nothing');
  t.is(await node.asks(['regcred']), 'ErrImagePull', 'that of a later try neither');
  t.is(await node.asks([]), 'ErrImagePull');
  t.is(await node.asks(['regcred'], 'brings it'), 'has it');
  t.is(await node.asks([]), 'ErrImagePull');
});

test('a pull that was refused has brought nothing: what comes in another way is for everybody', async (t) => {
  await using node = await aNode(t);
  t.is(await node.asks(['regcred']), 'ErrImagePull');
  node.bringByHand();
  t.is(await node.asks([]), 'has it');
});

test('a missing Secret is told of when the registry is asked', async (t) => {
  await using node = await aNode(t);
  t.is(await node.asks(['absent', 'regcred'], 'brings it'), 'has it');
  t.deepEqual(node.told, ['FailedToRetrieveImagePullSecret', 'Pulling', 'Pulled']);
});

test('a registry is not asked while another container of the pod waits to ask for the same image', async (t) => {
  await using node = await aNode(t);
  node.failures['create other'] = {
    reason: 'ErrImagePull',
    message: '500',
    image,
    at: 5,
    count: 2,
  };
  const inWait = `Back-off pulling image "${image}": ErrImagePull: 500`;
  t.is(await node.asks([], 'brings it', 20_004), inWait);
  t.deepEqual(node.told, []);
  t.is(await node.asks([], 'brings it', 20_005), 'has it');
  t.is(await node.asks([], 'brings it', 20_004), 'has it', 'what is there is not asked for');
});
