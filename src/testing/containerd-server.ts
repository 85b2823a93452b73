/**
 * A gRPC server on a unix socket that gives the answers a test has laid down, so that the code in
 * runtime/ meets a real connection. A call nobody laid down an answer for is UNIMPLEMENTED.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { connectContainerd } from '../runtime/connect.ts';
import type { Containerd } from '../runtime/connect.ts';
import type { ContainersHandlers } from '../runtime/generated/containerd/services/containers/v1/Containers.ts';
import type { ContentHandlers } from '../runtime/generated/containerd/services/content/v1/Content.ts';
import type { EventsHandlers } from '../runtime/generated/containerd/services/events/v1/Events.ts';
import type { TasksHandlers } from '../runtime/generated/containerd/services/tasks/v1/Tasks.ts';
import type { ImageServiceHandlers } from '../runtime/generated/runtime/v1/ImageService.ts';
import type { RuntimeServiceHandlers } from '../runtime/generated/runtime/v1/RuntimeService.ts';

export interface Answers {
  readonly runtime?: Partial<RuntimeServiceHandlers>;
  readonly images?: Partial<ImageServiceHandlers>;
  readonly events?: Partial<EventsHandlers>;
  readonly content?: Partial<ContentHandlers>;
  readonly tasks?: Partial<TasksHandlers>;
  readonly containers?: Partial<ContainersHandlers>;
}

/** A folder with a socket in it, a connection to that socket, and maybe a server behind it. */
export interface TestContainerd extends AsyncDisposable {
  readonly containerd: Containerd;
  /** Ends the server at once, as a crash would, and starts another one on the same socket. */
  restart(answers: Answers): Promise<void>;
  stop(): void;
}

/** Starts a server and connects to it. */
export async function serve(answers: Answers): Promise<TestContainerd> {
  const folder = await mkdtemp(join(tmpdir(), 'reprise-grpc-'));
  const containerd = connectContainerd(join(folder, 'containerd.sock'));
  let server = await start(containerd, answers);
  const stop = () => {
    server.forceShutdown();
  };
  return {
    containerd,
    stop,
    restart: async (next) => {
      stop();
      await rm(containerd.socketPath, { force: true });
      server = await start(containerd, next);
    },
    [Symbol.asyncDispose]: async () => {
      containerd[Symbol.dispose]();
      stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function start(containerd: Containerd, answers: Answers): Promise<Server> {
  const server = new Server();
  const { runtime = {}, images = {}, events = {}, content = {} } = answers;
  const { tasks = {}, containers = {} } = answers;
  server.addService(containerd.runtime, runtime as UntypedServiceImplementation);
  server.addService(containerd.images, images as UntypedServiceImplementation);
  server.addService(containerd.events, events as UntypedServiceImplementation);
  server.addService(containerd.content, content as UntypedServiceImplementation);
  server.addService(containerd.tasks, tasks as UntypedServiceImplementation);
  server.addService(containerd.containers, containers as UntypedServiceImplementation);
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  server.bindAsync(`unix:${containerd.socketPath}`, ServerCredentials.createInsecure(), (error) => {
    if (error) reject(error);
    else resolve(undefined);
  });
  await promise;
  return server;
}
