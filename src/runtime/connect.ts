/**
 * The connection to containerd: one channel over its unix socket, and a client for each service.
 *
 * Opening it costs no round trip and cannot fail; the first call finds out. A lost daemon is found
 * again by itself, because the channel keeps trying at short intervals.
 *
 * Read next: call.ts, which makes one call; cri.ts, the calls there are.
 */
import { resolve } from 'node:path';
import { Client, credentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { ChannelOptions } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { ContainersDefinition } from './generated/containerd/services/containers/v1/Containers.ts';
import type { ContentDefinition } from './generated/containerd/services/content/v1/Content.ts';
import type { EventsDefinition } from './generated/containerd/services/events/v1/Events.ts';
import type { ProtoGrpcType as CriProtos } from './generated/cri.ts';
import type { TasksDefinition } from './generated/containerd/services/tasks/v1/Tasks.ts';
import type { ProtoGrpcType as ContainersProtos } from './generated/containerd-containers.ts';
import type { ProtoGrpcType as ContentProtos } from './generated/containerd-content.ts';
import type { ProtoGrpcType as TasksProtos } from './generated/containerd-tasks.ts';
import type { ProtoGrpcType as EventProtos } from './generated/containerd-events.ts';
import type { ProtoGrpcType as ImageEventProtos } from './generated/containerd-image-events.ts';
import type { ProtoGrpcType as TaskEventProtos } from './generated/containerd-task-events.ts';
import type { ImageServiceDefinition } from './generated/runtime/v1/ImageService.ts';
import type { RuntimeServiceDefinition } from './generated/runtime/v1/RuntimeService.ts';
import { protoDirectory, protoFiles, protoOptions } from './protos.ts';

/** An open connection; leaving its scope closes it and ends the calls under way. */
export interface Containerd extends Disposable {
  /** Absolute path of the socket, for messages. */
  readonly socketPath: string;
  /** Makes the calls that the definitions below describe. */
  readonly client: Client;
  readonly runtime: RuntimeServiceDefinition;
  readonly images: ImageServiceDefinition;
  readonly events: EventsDefinition;
  readonly content: ContentDefinition;
  readonly tasks: TasksDefinition;
  readonly containers: ContainersDefinition;
  /** What events of tasks carry, by message name. */
  readonly taskEvents: TaskEventProtos['containerd']['events'];
  /** What events of images carry, by message name. */
  readonly imageEvents: ImageEventProtos['containerd']['services']['images']['v1'];
}

type Protos = CriProtos &
  EventProtos &
  TaskEventProtos &
  ImageEventProtos &
  ContentProtos &
  ContainersProtos &
  TasksProtos;

const mebibyte = 1024 * 1024;

const channelOptions: ChannelOptions = {
  // The daemon sends up to 16 MiB unless it is configured to send more.
  'grpc.max_receive_message_length': 32 * mebibyte,
  // A local socket costs nothing to try; the defaults would leave us deaf for up to two minutes.
  'grpc.initial_reconnect_backoff_ms': 20,
  'grpc.max_reconnect_backoff_ms': 250,
  // Or a second connection to the same socket would share its back-off and its fate.
  'grpc.use_local_subchannel_pool': 1,
};

/** Connects to the containerd that listens on a socket (a path, or `unix://` and a path). */
export function connectContainerd(socket: string): Containerd {
  const socketPath = resolve(socket.replace(/^unix:\/\//, ''));
  const client = new Client(`unix:${socketPath}`, credentials.createInsecure(), channelOptions);
  const { runtime, containerd } = loadProtos();
  return {
    socketPath,
    client,
    runtime: runtime.v1.RuntimeService.service,
    images: runtime.v1.ImageService.service,
    events: containerd.services.events.v1.Events.service,
    content: containerd.services.content.v1.Content.service,
    tasks: containerd.services.tasks.v1.Tasks.service,
    containers: containerd.services.containers.v1.Containers.service,
    taskEvents: containerd.events,
    imageEvents: containerd.services.images.v1,
    [Symbol.dispose]: () => {
      client.close();
    },
  };
}

/** One call for all files: what they import is read once. */
function loadProtos(): Protos {
  const definition = loadSync([...protoFiles], { ...protoOptions, includeDirs: [protoDirectory] });
  // The types are generated from the very files that are loaded here.
  return loadPackageDefinition(definition) as unknown as Protos;
}
