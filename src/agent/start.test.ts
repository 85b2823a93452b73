// A whole agent, over a containerd that has what a test has laid down.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { createLogger } from '../log.ts';
import type { Envelope } from '../runtime/generated/containerd/services/events/v1/Envelope.ts';
import type { SubscribeRequest__Output } from '../runtime/generated/containerd/services/events/v1/SubscribeRequest.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import { serve } from '../testing/containerd-server.ts';
import type { Answers } from '../testing/containerd-server.ts';
import { defaultDeviceOptions, startAgent } from './start.ts';
import type { AgentOptions } from './start.ts';
import { PodStore } from './store.ts';

type Stream = ServerWritableStream<SubscribeRequest__Output, Envelope>;

/**
 * A containerd without anything in it, whose events are those that are published. Containers cannot be
 * listed, so that no worker ever gets to see its pod, and to begin with it.
 */
function answers(runtime: Answers['runtime'] = {}): Answers & { readonly streams: Set<Stream> } {
  const streams = new Set<Stream>();
  return {
    streams,
    runtime: {
      Version: (_call, answer) => answer(null, { runtimeName: 'a stand-in' }),
      Status: (_call, answer) => answer(null, {}),
      ListPodSandbox: (_call, answer) => answer(null, {}),
      ...runtime,
    },
    events: {
      Subscribe: (stream) => {
        streams.add(stream);
        stream.on('cancelled', () => streams.delete(stream));
      },
      Publish: ({ request: { topic, event } }, answer) => {
        for (const stream of streams) stream.write({ topic, event });
        answer(null, {});
      },
    },
  };
}

/** A node for one agent. */
async function aNode(laidDown: Answers) {
  await using stack = new AsyncDisposableStack();
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-start-'));
  stack.defer(() => fs.rmSync(dataDir, { recursive: true }));
  const server = stack.use(await serve(laidDown));
  const options: AgentOptions = {
    containerd: server.containerd.socketPath,
    dataDir,
    podLogDir: path.join(dataDir, 'logs'),
    cgroupRoot: `/reprise-none-${process.pid}`,
    nodeName: 'here',
    inPlaceBackoffMs: 0,
    maxContainerRestartMs: 300_000,
    standbys: true,
    deferredCleanup: true,
    devices: {
      ...defaultDeviceOptions,
      ...{ cdiSpecDirs: [], driverDirectory: dataDir, devDirectory: dataDir },
    },
    log: createLogger({ level: 'silent' }),
  };
  const life = stack.move();
  return { dataDir, options, server, [Symbol.asyncDispose]: () => life.disposeAsync() };
}

test('an orphan that cannot be removed keeps neither the agent nor its pods from going on', async (t) => {
  const tried = Promise.withResolvers<undefined>();
  const orphan = { id: 's1', labels: { 'io.kubernetes.pod.uid': 'orphan' } };
  await using node = await aNode(
    answers({
      ListPodSandbox: ({ request }, answer) => {
        const { 'io.kubernetes.pod.uid': uid } = request.filter?.labelSelector ?? {};
        answer(null, { items: uid === undefined || uid === 'orphan' ? [orphan] : [] });
      },
      StopPodSandbox: (_call, answer) => {
        tried.resolve(undefined);
        answer({ code: status.UNKNOWN, details: 'the network is busy' });
      },
    }),
  );
  new PodStore(node.dataDir, () => undefined).accept(aPod([], [aContainer('main')]));
  await using agent = await startAgent(node.options, new AbortController().signal);
  t.is(agent.backend.list().length, 1);
  await tried.promise;
});

test('a start that waits for the events of containerd can be given up', async (t) => {
  const subscribed = Promise.withResolvers<undefined>();
  const silent: Answers['events'] = {
    Subscribe: () => subscribed.resolve(undefined),
    Publish: (_call, answer) => answer(null, {}),
  };
  await using node = await aNode({ ...answers(), events: silent });
  const stop = new AbortController();
  const starting = startAgent(node.options, stop.signal);
  await subscribed.promise;
  stop.abort();
  await t.throwsAsync(starting, { name: 'AbortError' });
});

test('an agent that cannot follow events any more says so', async (t) => {
  await using node = await aNode(answers());
  const dead = (): never => {
    throw new Error('nobody reads the log');
  };
  const log = Object.assign(createLogger({ level: 'silent' }), { warn: dead, error: dead });
  await using agent = await startAgent({ ...node.options, log }, new AbortController().signal);
  node.server.stop();
  await t.throwsAsync(agent.failed, { message: /cannot be followed: nobody reads the log/ });
});
