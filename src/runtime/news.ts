/**
 * What an event of containerd says about a container or an image, if it says anything that matters here.
 */
import type { Containerd } from './connect.ts';
import type { Envelope__Output } from './generated/containerd/services/events/v1/Envelope.ts';
import { fromTimestamp } from './time.ts';

export type News =
  /** A container, or a sandbox, has its first process; its own program does not run yet. */
  | {
      readonly kind: 'create';
      readonly containerId: string;
      /** Of that process, in containerd's pid namespace. */
      readonly pid: number;
    }
  /** The first process of a container, or a sandbox's pause process, runs. */
  | {
      readonly kind: 'start';
      readonly containerId: string;
      /** Of that process, in containerd's pid namespace. */
      readonly pid: number;
      /** By containerd's clock, in milliseconds since 1970 with a fraction. */
      readonly startedAt: number;
    }
  /** The first process of a container, or a sandbox's pause process, has ended. */
  | {
      readonly kind: 'exit';
      /** A container's id or a sandbox's. */
      readonly containerId: string;
      readonly exitCode: number;
      /** By the kernel's clock, in milliseconds since 1970 with a fraction. */
      readonly exitedAt: number;
      /** When the event arrived here. */
      readonly seenAt: number;
    }
  /** Some process of the container was killed for want of memory; not always the first one. */
  | { readonly kind: 'oom'; readonly containerId: string }
  /** A name may stand for another image than before: `docker.io/library/busybox:stable`. */
  | { readonly kind: 'image'; readonly name: string };

/** Makes a reader for the events of one subscription. */
export function newsReader({
  taskEvents: types,
  imageEvents,
}: Pick<Containerd, 'taskEvents' | 'imageEvents'>): (
  envelope: Envelope__Output,
  seenAt: number,
) => News | undefined {
  // containerd deletes a task some 20 ms after its exit and tells both. The second telling only
  // counts if the first one was missed.
  const told = new Set<string>();

  return ({ event, timestamp }, seenAt) => {
    switch (messageName(event?.type_url ?? '')) {
      case 'containerd.events.TaskCreate': {
        const { containerId, pid } = types.TaskCreate.deserialize(event?.value ?? Buffer.alloc(0));
        return { kind: 'create', containerId, pid };
      }
      case 'containerd.events.TaskStart': {
        const { containerId, pid } = types.TaskStart.deserialize(event?.value ?? Buffer.alloc(0));
        return { kind: 'start', containerId, pid, startedAt: fromTimestamp(timestamp) ?? seenAt };
      }
      case 'containerd.events.TaskExit': {
        const exit = types.TaskExit.deserialize(event?.value ?? Buffer.alloc(0));
        if (exit.id !== exit.containerId) return undefined; // An exec's process.
        told.add(exit.containerId);
        return exitOf(exit, seenAt);
      }
      case 'containerd.events.TaskDelete': {
        const deleted = types.TaskDelete.deserialize(event?.value ?? Buffer.alloc(0));
        if (deleted.id !== '' && deleted.id !== deleted.containerId) return undefined;
        return told.delete(deleted.containerId) ? undefined : exitOf(deleted, seenAt);
      }
      case 'containerd.events.TaskOOM': {
        const { containerId } = types.TaskOOM.deserialize(event?.value ?? Buffer.alloc(0));
        return { kind: 'oom', containerId };
      }
      case 'containerd.services.images.v1.ImageCreate':
      case 'containerd.services.images.v1.ImageUpdate': {
        // The two look alike.
        const { name } = imageEvents.ImageUpdate.deserialize(event?.value ?? Buffer.alloc(0));
        return { kind: 'image', name };
      }
      default:
        return undefined;
    }
  };
}

/** containerd writes the bare name; other writers of such messages put a host and a slash before it. */
function messageName(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
}

function exitOf(
  message: {
    readonly containerId: string;
    readonly exitStatus: number;
    readonly exitedAt: { readonly seconds: string; readonly nanos: number } | null;
  },
  seenAt: number,
): News | undefined {
  const { containerId, exitStatus: exitCode } = message;
  const exitedAt = fromTimestamp(message.exitedAt);
  // Without a time it never ran: CRI tells that story better, as a failed start.
  if (exitedAt === undefined) return undefined;
  return { kind: 'exit', containerId, exitCode, exitedAt, seenAt };
}
