import { status } from '@grpc/grpc-js';
import test from 'ava';
import { serve } from '../testing/containerd-server.ts';
import type { Answers } from '../testing/containerd-server.ts';
import { criOver } from './cri.ts';
import type { Container } from './generated/runtime/v1/Container.ts';
import type { ContainerStatus } from './generated/runtime/v1/ContainerStatus.ts';
import type { PodSandbox } from './generated/runtime/v1/PodSandbox.ts';
import { lookAtPod, listPodUids } from './observe.ts';

const uid = '00000000-0000-4000-8000-000000000001';
const never = new AbortController().signal;

function listed(id: string, state: Container['state'], more: Container = {}): Container {
  return {
    id,
    metadata: { name: 'main', attempt: 4 },
    state,
    createdAt: '1767323045000000000',
    imageRef: 'sha256:1',
    labels: {
      'io.kubernetes.pod.uid': uid,
      'io.kubernetes.container.name': 'main',
      'reprise.dev/generation': '3',
      'reprise.dev/sandbox-attempt': '1',
      'reprise.dev/spec-hash': 'abc',
    },
    ...more,
  };
}

function runtime(
  sandboxes: readonly PodSandbox[],
  containers: readonly Container[],
  statuses: Readonly<Record<string, ContainerStatus>> = {},
): Answers['runtime'] {
  return {
    ListPodSandbox: (_call, answer) => {
      answer(null, { items: [...sandboxes] });
    },
    ListContainers: (call, answer) => {
      const { labelSelector = {} } = call.request.filter ?? {};
      answer(null, {
        containers: containers.filter(({ labels = {} }) =>
          Object.entries(labelSelector).every(([key, value]) => labels[key] === value),
        ),
      });
    },
    PodSandboxStatus: (_call, answer) => {
      const network = { ip: '10.88.0.5', additionalIps: [{ ip: 'fd00::5' }] };
      answer(null, { status: { state: 'SANDBOX_READY', network } });
    },
    ContainerStatus: (call, answer) => {
      const found = statuses[call.request.containerId];
      const image = { image: { image: 'localhost/test:1' }, imageRef: 'localhost/test@sha256:1' };
      if (found) answer(null, { status: { ...image, ...found } });
      else answer({ code: status.NOT_FOUND, details: 'removed meanwhile' });
    },
  };
}

async function look(answers: Answers['runtime']) {
  await using server = await serve({ runtime: answers });
  return await lookAtPod(criOver(server.containerd), uid, never);
}

const common = {
  name: 'main',
  attempt: 4,
  generation: 3,
  sandboxAttempt: 1,
  specHash: 'abc',
  createdAt: 1767323045000,
  imageId: 'sha256:1',
  imageRef: 'localhost/test@sha256:1',
  image: 'localhost/test:1',
  gone: false,
};

test('a container that has not started has no times but that of its making', async (t) => {
  const { instances } = await look(
    runtime([], [listed('c', 'CONTAINER_CREATED')], { c: { state: 'CONTAINER_CREATED' } }),
  );
  t.deepEqual(instances, [{ id: 'c', state: 'created', ...common }]);
});

test('a runtime that can tells as whom a container runs', async (t) => {
  const { instances } = await look(
    runtime([], [listed('c', 'CONTAINER_CREATED')], {
      c: {
        state: 'CONTAINER_CREATED',
        user: { linux: { uid: 1000, gid: '2000', supplementalGroups: ['2000', 3000] } },
      },
    }),
  );
  const user = { uid: 1000, gid: 2000, supplementalGroups: [2000, 3000] };
  t.deepEqual(instances, [{ id: 'c', state: 'created', user, ...common }]);
});

test('a running container tells when it started, to the fraction of a millisecond', async (t) => {
  const { instances } = await look(
    runtime([], [listed('c', 'CONTAINER_RUNNING')], {
      c: { state: 'CONTAINER_RUNNING', startedAt: '1767323045123456789' },
    }),
  );
  t.deepEqual(instances, [{ id: 'c', state: 'running', startedAt: 1767323045123.4568, ...common }]);
});

test('an exited container tells how it ended, even if the list still has it running', async (t) => {
  const { instances } = await look(
    runtime([], [listed('c', 'CONTAINER_RUNNING')], {
      c: {
        state: 'CONTAINER_EXITED',
        startedAt: '1767323045000000000',
        finishedAt: '1767323046500000000',
        exitCode: 88,
        reason: 'Error',
      },
    }),
  );
  const exit = { code: 88, finishedAt: 1767323046500, reason: 'Error' };
  t.deepEqual(instances, [{ id: 'c', state: 'exited', startedAt: 1767323045000, exit, ...common }]);
});

test('a failed start has no start time, and keeps its message', async (t) => {
  const { instances } = await look(
    runtime([], [listed('c', 'CONTAINER_EXITED')], {
      c: {
        state: 'CONTAINER_EXITED',
        createdAt: '1767323045000000000',
        exitCode: 128,
        reason: 'StartError',
        message: 'no such file',
      },
    }),
  );
  t.like(instances[0], {
    state: 'exited',
    startedAt: undefined,
    exit: { code: 128, reason: 'StartError', message: 'no such file', finishedAt: 1767323045000 },
  });
});

for (const message of [
  'failed to create containerd task: failed to create shim task: context canceled: unknown',
  'failed to create containerd task: failed to start shim: start failed: : signal: killed: unknown',
  'failed to create containerd task: failed to start shim: start failed: io.containerd.runc.v2: try create new shim socket 2x: listen unix /run/containerd/s/70146989: bind: address already in use: exit status 1: unknown',
  'failed to create containerd task: failed to start shim: start failed: dial unix /run/containerd/s/4b2ef453: connect: no such file or directory: unknown',
  'failed to create containerd task: failed to create shim task: ttrpc: closed: unknown',
  'failed to create containerd task: failed to create shim task: OCI runtime create failed: namespace path: lstat /proc/0/ns/ipc: no such file or directory: unknown',
]) {
  test(`a start that fails is not counted where the container is not to blame: ${message}`, async (t) => {
    const { instances } = await look(
      runtime([], [listed('c', 'CONTAINER_EXITED')], {
        c: { state: 'CONTAINER_EXITED', exitCode: 128, reason: 'StartError', message },
      }),
    );
    t.deepEqual(instances, [{ id: 'c', state: 'aborted', ...common }]);
  });
}

test('what is removed between list and look is left out', async (t) => {
  const { instances } = await look(runtime([], [listed('c', 'CONTAINER_EXITED')]));
  t.deepEqual(instances, []);
});

test('containers that are not of our making are left out', async (t) => {
  const labels = { 'io.kubernetes.pod.uid': uid, 'io.kubernetes.container.name': 'debugger' };
  const { instances } = await look(runtime([], [listed('c', 'CONTAINER_CREATED', { labels })]));
  t.deepEqual(instances, []);
});

test('sandboxes come newest first, and only a ready one has addresses', async (t) => {
  const { sandboxes } = await look(
    runtime(
      [
        { id: 'old', metadata: { attempt: 0 }, state: 'SANDBOX_NOTREADY' },
        { id: 'new', metadata: { attempt: 1 }, state: 'SANDBOX_READY' },
      ],
      [],
    ),
  );
  t.deepEqual(sandboxes, [
    { id: 'new', attempt: 1, ready: true, ips: ['10.88.0.5', 'fd00::5'] },
    { id: 'old', attempt: 0, ready: false, ips: [] },
  ]);
});

test('the pods of an agent are asked for by its id, each uid once', async (t) => {
  await using server = await serve({
    runtime: {
      ListPodSandbox: (call, answer) => {
        t.deepEqual(call.request.filter?.labelSelector, { 'reprise.dev/agent': 'agent-1' });
        const labels = { 'io.kubernetes.pod.uid': uid };
        answer(null, { items: [{ labels }, { labels }] });
      },
    },
  });
  const uids = await listPodUids(criOver(server.containerd), 'agent-1', never);
  t.deepEqual(uids, [uid]);
});
