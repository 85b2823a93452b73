import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { blankMemory } from '../pod/memory.ts';
import { criOver } from '../runtime/cri.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import { serve } from '../testing/containerd-server.ts';
import { provideImageVolumes } from './image-volumes.ts';
import type { Means, Occasion } from './means.ts';
import { PulledImages } from './pulled-images.ts';
import { SharedPulls } from './shared-pulls.ts';

test('containers that are made side by side find the same image volume', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-image-volumes-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  await using server = await serve({
    images: { ImageStatus: (_call, answer) => answer(null, { image: { id: 'sha256:1' } }) },
  });
  const volumeMounts = [{ name: 'model', mountPath: '/model', readOnly: false }];
  const containers = Array.from({ length: 20 }, (_, n) =>
    aContainer(`main-${n}`, { volumeMounts }),
  );
  const image = { reference: 'a.test/model:1', pullPolicy: 'IfNotPresent' as const };
  const means = {
    cri: criOver(server.containerd),
    pulledImages: new PulledImages(folder),
    pulls: new SharedPulls(),
    lending: { dataDir: folder, podLogDir: folder, cgroupRoot: '/', cgroupDriver: 'cgroupfs' },
    now: () => 0,
  } as unknown as Means;
  const occasion = {
    pod: aPod([], containers, { volumes: [{ name: 'model', image }] }),
    find: () => undefined,
    tell: () => undefined,
    latest: () => ({ observed: { failures: {} }, memory: blankMemory }),
    signal: new AbortController().signal,
  } as unknown as Occasion;
  const found = await Promise.all(
    containers.map((container) => provideImageVolumes(means, container, occasion)),
  );
  t.deepEqual(new Set(found.map(({ model }) => model)), new Set(['sha256:1']));
});
