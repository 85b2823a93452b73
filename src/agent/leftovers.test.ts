import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { createLogger } from '../log.ts';
import { criOver } from '../runtime/cri.ts';
import { serve } from '../testing/containerd-server.ts';
import { aNode } from '../testing/node.ts';
import { removeLeftovers } from './leftovers.ts';
import { PodStore } from './store.ts';

interface Sandbox {
  readonly uid: string;
  /** How often it cannot be stopped. */
  troubles: number;
}

/** A node whose containerd has these sandboxes, by their ids; none of them is of a pod in the store. */
async function aNodeWith(sandboxes: Map<string, Sandbox>) {
  await using stack = new AsyncDisposableStack();
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-left-'));
  stack.defer(() => fs.rmSync(dataDir, { recursive: true }));
  const containers = new Map([['alone', 'given-up']]);
  const { containerd } = stack.use(
    await serve({
      runtime: {
        ListPodSandbox: ({ request }, answer) => {
          const { 'io.kubernetes.pod.uid': uid } = request.filter?.labelSelector ?? {};
          const found = [...sandboxes].filter(([, one]) => uid === undefined || one.uid === uid);
          const items = found.map(([id, one]) => {
            return { id, labels: { 'io.kubernetes.pod.uid': one.uid } };
          });
          answer(null, { items });
        },
        StopPodSandbox: ({ request: { podSandboxId } }, answer) => {
          const found = sandboxes.get(podSandboxId);
          if (found !== undefined && found.troubles-- > 0)
            answer({ code: status.UNKNOWN, details: 'the network is busy' });
          else answer(null, {});
        },
        RemovePodSandbox: ({ request: { podSandboxId } }, answer) => {
          sandboxes.delete(podSandboxId);
          answer(null, {});
        },
        ListContainers: ({ request }, answer) => {
          const { 'io.kubernetes.pod.uid': uid } = request.filter?.labelSelector ?? {};
          const found = [...containers].filter(([, owner]) => owner === uid);
          answer(null, { containers: found.map(([id]) => ({ id })) });
        },
        RemoveContainer: ({ request: { containerId } }, answer) => {
          containers.delete(containerId);
          answer(null, {});
        },
      },
    }),
  );
  const node = aNode();
  const podLogDir = path.join(dataDir, 'logs');
  const lending = {
    ...{ dataDir, podLogDir, cgroupRoot: `/reprise-none-${process.pid}`, node },
    cgroupDriver: 'cgroupfs' as const,
  };
  const store = new PodStore(dataDir, () => undefined);
  const reserved = new Set<string>();
  const life = stack.move();
  return {
    ...{ dataDir, podLogDir, containers, reserved },
    parts: {
      means: { cri: criOver(containerd), node, lending, store },
      isKnown: (uid: string) => uid === 'known',
      reserve: (uid: string) => {
        reserved.add(uid);
        return { [Symbol.dispose]: () => void reserved.delete(uid) };
      },
      log: createLogger({ level: 'silent' }),
      firstWaitMs: 1,
    },
    /** Writes an empty file, with its folders. */
    touch: (...names: string[]) => {
      const file = path.join(dataDir, ...names);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, '');
    },
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

test('sandboxes that nobody remembers are removed, each by itself, as often as it takes', async (t) => {
  const sandboxes = new Map([
    ['s1', { uid: 'stubborn', troubles: 3 }],
    ['s2', { uid: 'known', troubles: 0 }],
    ['s3', { uid: 'lost', troubles: 0 }],
    ['s4', { uid: 'hopeless', troubles: Infinity }],
  ]);
  await using node = await aNodeWith(sandboxes);
  const stop = new AbortController();
  const removing = removeLeftovers({ ...node.parts, folders: [] }, stop.signal);
  while (sandboxes.size > 2) await new Promise(setImmediate);
  t.deepEqual([...sandboxes.keys()], ['s2', 's4']);
  t.true(node.reserved.has('hopeless'), 'no new pod gets the uid meanwhile');
  stop.abort();
  await removing;
  t.deepEqual([...node.reserved], []);
});

test('what a pod without pod.json was lent is taken back when its sandbox is gone', async (t) => {
  const sandboxes = new Map([['s1', { uid: 'given-up', troubles: 2 }]]);
  await using node = await aNodeWith(sandboxes);
  const { parts, dataDir, podLogDir, touch } = node;
  touch('pods', 'given-up', 'volumes', 'kubernetes.io~empty-dir', 'data', 'file');
  touch('pods', 'given-up', 'containers', 'main', '0');
  for (const file of ['user-ids', 'status.json', 'status.json.new', 'objects.json', 'devices.json'])
    touch('pods', 'given-up', file);
  touch('pods', 'lost+found', 'file');
  touch('logs', 'lab_web_given-up', 'main', '0.log');
  touch('logs', 'lab_given-up_other', 'main', '0.log');
  const { leftOver } = parts.means.store.load();
  t.deepEqual(leftOver, ['given-up']);
  await removeLeftovers({ ...parts, folders: leftOver }, new AbortController().signal);
  t.deepEqual([...sandboxes.keys(), ...node.containers.keys()], []);
  t.deepEqual(fs.readdirSync(path.join(dataDir, 'pods')), ['lost+found']);
  t.deepEqual(fs.readdirSync(podLogDir), ['lab_given-up_other']);
});

test('what is not known to be of a pod stays in its folder', async (t) => {
  await using node = await aNodeWith(new Map());
  const { parts, dataDir, touch } = node;
  touch('pods', 'copy', 'notes');
  touch('pods', 'copy', 'volumes', 'file');
  const stop = new AbortController();
  const removing = removeLeftovers({ ...parts, folders: ['copy'] }, stop.signal);
  const folder = path.join(dataDir, 'pods', 'copy');
  while (fs.readdirSync(folder).length > 1) await new Promise(setImmediate);
  stop.abort();
  await removing;
  t.deepEqual(fs.readdirSync(folder), ['notes']);
});
