import type { ServerWritableStream } from '@grpc/grpc-js';
import anyTest from 'ava';
import type { ExecutionContext } from 'ava';
import { serve } from '../testing/containerd-server.ts';
import type { TestContainerd } from '../testing/containerd-server.ts';
import type { Containerd } from './connect.ts';
import { runtimeEvents } from './events.ts';
import type { RuntimeEvent } from './events.ts';
import type { Envelope } from './generated/containerd/services/events/v1/Envelope.ts';
import type { EventsHandlers } from './generated/containerd/services/events/v1/Events.ts';
import type { SubscribeRequest__Output } from './generated/containerd/services/events/v1/SubscribeRequest.ts';

/** While definitions are read for one test, all others stand still, and so would its mark. */
const test = anyTest.serial;

type Stream = ServerWritableStream<SubscribeRequest__Output, Envelope>;

/** An event bus as containerd's: it loses the first events after a subscription, and stores none. */
class Bus {
  readonly streams = new Set<Stream>();
  readonly filters: string[] = [];
  marks = 0;
  #deafFor: number;

  constructor(deafFor = 0) {
    this.#deafFor = deafFor;
  }

  readonly handlers: EventsHandlers = {
    Subscribe: (stream) => {
      this.streams.add(stream);
      this.filters.push(...stream.request.filters);
      stream.on('cancelled', () => this.streams.delete(stream));
    },
    Publish: (call, answer) => {
      this.marks += 1;
      this.#deafFor -= 1;
      const { topic, event } = call.request;
      t0(call.metadata.get('containerd-namespace'));
      if (this.#deafFor < 0) this.send({ topic, event });
      answer(null, {});
    },
  };

  send(envelope: Envelope): void {
    for (const stream of this.streams) stream.write(envelope);
  }
}

function t0(namespace: unknown[]): void {
  if (namespace[0] !== 'k8s.io') throw new Error('containerd would refuse: namespace is required');
}

const exitedAt = { seconds: '1767323045', nanos: 123_456_789 };

function task(
  containerd: Containerd,
  name: 'TaskCreate' | 'TaskStart' | 'TaskExit' | 'TaskDelete' | 'TaskOOM',
  content: object,
) {
  const types = containerd.taskEvents;
  const value = types[name].serialize({ exitedAt, ...content });
  return {
    namespace: 'k8s.io',
    timestamp: exitedAt,
    event: { type_url: `containerd.events.${name}`, value },
  };
}

/** Follows a bus; `next` gives the events one after another. */
async function follow(t: ExecutionContext, bus: Bus) {
  const server: TestContainerd = await serve({ events: bus.handlers });
  const begunAt = Date.now();
  const abort = new AbortController();
  const events = runtimeEvents(server.containerd, abort.signal);
  t.teardown(async () => {
    abort.abort();
    await events.return();
    await server[Symbol.asyncDispose]();
  });
  const next = async (): Promise<Partial<RuntimeEvent>> => {
    const { value, done } = await events.next();
    if (done === true) return {};
    if (value.kind !== 'exit') return value;
    const { seenAt, ...rest } = value;
    // Two clocks tell it together, of which one has whole milliseconds only.
    t.true(seenAt > begunAt - 2 && seenAt < Date.now() + 2);
    return rest;
  };
  return { server, abort, next };
}

test('a subscription is told of when an event has come back, not before', async (t) => {
  const bus = new Bus(3);
  const { next } = await follow(t, bus);
  t.deepEqual(await next(), { kind: 'connected', gap: false });
  t.true(bus.marks > 3);
});

test('only what concerns the tasks and images of CRI is asked for', async (t) => {
  const bus = new Bus();
  const { next } = await follow(t, bus);
  await next();
  t.deepEqual(bus.filters.slice(0, 7), [
    'topic=="/tasks/create",namespace==k8s.io',
    'topic=="/tasks/start",namespace==k8s.io',
    'topic=="/tasks/exit",namespace==k8s.io',
    'topic=="/tasks/delete",namespace==k8s.io',
    'topic=="/tasks/oom",namespace==k8s.io',
    'topic=="/images/create",namespace==k8s.io',
    'topic=="/images/update",namespace==k8s.io',
  ]);
  t.regex(bus.filters[7] ?? '', /^topic=="\/reprise\/mark\/[0-9a-f-]{36}"$/);
});

test('an exit carries code and time; that of an exec is nobody’s business', async (t) => {
  const bus = new Bus();
  const { next, server } = await follow(t, bus);
  await next();
  const send = (...[name, content]: [Parameters<typeof task>[1], object]) =>
    bus.send(task(server.containerd, name, content));
  send('TaskExit', { containerId: 'a', id: 'exec-1', exitStatus: 1 });
  send('TaskDelete', { containerId: 'a', id: 'exec-1', exitStatus: 1 });
  send('TaskOOM', { containerId: 'a' });
  send('TaskExit', { containerId: 'a', id: 'a', exitStatus: 88 });
  t.deepEqual(await next(), { kind: 'oom', containerId: 'a' });
  const at = 1767323045123.4568;
  t.deepEqual(await next(), { kind: 'exit', containerId: 'a', exitCode: 88, exitedAt: at });
});

test('a name that may stand for another image is told, whether it is new or not', async (t) => {
  const bus = new Bus();
  const { next, server } = await follow(t, bus);
  await next();
  for (const type of ['ImageCreate', 'ImageUpdate'] as const) {
    const value = server.containerd.imageEvents[type].serialize({ name: 'a.test/tool:1' });
    const type_url = `containerd.services.images.v1.${type}`;
    bus.send({ namespace: 'k8s.io', event: { type_url, value } });
    t.deepEqual(await next(), { kind: 'image', name: 'a.test/tool:1' });
  }
});

test('a first process is told before the program of its container runs', async (t) => {
  const bus = new Bus();
  const { next, server } = await follow(t, bus);
  await next();
  bus.send(task(server.containerd, 'TaskCreate', { containerId: 'a', pid: 7 }));
  t.deepEqual(await next(), { kind: 'create', containerId: 'a', pid: 7 });
});

test('a start carries the time of its event', async (t) => {
  const bus = new Bus();
  const { next, server } = await follow(t, bus);
  await next();
  bus.send(task(server.containerd, 'TaskStart', { containerId: 'a', pid: 7 }));
  t.deepEqual(await next(), {
    kind: 'start',
    containerId: 'a',
    pid: 7,
    startedAt: 1767323045123.4568,
  });
});

test('a deleted task tells of its exit only if nothing else did', async (t) => {
  const bus = new Bus();
  const { next, server } = await follow(t, bus);
  await next();
  const send = (...[name, content]: [Parameters<typeof task>[1], object]) =>
    bus.send(task(server.containerd, name, content));
  send('TaskExit', { containerId: 'a', id: 'a', exitStatus: 1 });
  send('TaskDelete', { containerId: 'a', exitStatus: 1 });
  send('TaskDelete', { containerId: 'never-ran', exitedAt: { seconds: '-62135596800' } });
  send('TaskDelete', { containerId: 'b', exitStatus: 2 });
  t.like(await next(), { kind: 'exit', containerId: 'a', exitCode: 1 });
  t.like(await next(), { kind: 'exit', containerId: 'b', exitCode: 2 });
});

test('a type may be written with a host before its name', async (t) => {
  const bus = new Bus();
  const { next, server } = await follow(t, bus);
  await next();
  const { namespace, event } = task(server.containerd, 'TaskOOM', { containerId: 'a' });
  const type_url = `type.googleapis.com/${event.type_url}`;
  bus.send({ namespace, event: { ...event, type_url } });
  t.deepEqual(await next(), { kind: 'oom', containerId: 'a' });
});

test('a lost connection is told once, and the next one has a gap before it', async (t) => {
  const { next, server } = await follow(t, new Bus());
  await next();
  server.stop();
  t.like(await next(), { kind: 'lost', error: { where: server.containerd.socketPath } });
  const connected = next();
  await new Promise((resolve) => setTimeout(resolve, 200));
  await server.restart({ events: new Bus(2).handlers });
  t.deepEqual(await connected, { kind: 'connected', gap: true });
});

test('the mark of one connection does not prove another', async (t) => {
  const first = new Bus();
  const { next, server } = await follow(t, first);
  await next();
  const second = new Bus();
  await server.restart({ events: second.handlers });
  t.is((await next()).kind, 'lost');
  t.is((await next()).kind, 'connected');
  t.not(first.filters.at(-1), second.filters.at(-1));
});

test('the signal ends it at once, connected or not', async (t) => {
  const { next, abort, server } = await follow(t, new Bus());
  await next();
  const last = next();
  abort.abort();
  t.deepEqual(await last, {});
  server.stop();
  const never = new AbortController();
  const unconnected = runtimeEvents(server.containerd, never.signal);
  t.is((await unconnected.next()).value?.kind, 'lost');
  const end = unconnected.next();
  never.abort();
  t.true((await end).done);
});
