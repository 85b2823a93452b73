/**
 * The few questions that are put to a containerd itself: would you run a pod, which have you, remove them.
 *
 * The messages are described here by hand, each with the fields that are read, so that starting
 * and stopping stays independent of the agent that is tested with it.
 */
import { Client, credentials } from '@grpc/grpc-js';
import protobuf from 'protobufjs';

/** Parts of CRI's messages, with CRI's field numbers. */
const MESSAGES = `
  syntax = "proto3";
  message Empty {}
  message StatusResponse { Status status = 1; }
  message Status { repeated Condition conditions = 1; }
  message Condition { string type = 1; bool status = 2; string reason = 3; string message = 4; }
  message ListPodSandboxResponse { repeated PodSandbox items = 1; }
  message PodSandbox { string id = 1; }
  message RemovePodSandboxRequest { string pod_sandbox_id = 1; }
  message ListContainersResponse { repeated Container containers = 1; }
  message Container { string id = 1; }
`;

const MUST_BE_TRUE = new Set(['RuntimeReady', 'NetworkReady']);

interface Condition {
  readonly type: string;
  readonly status?: boolean;
  readonly message?: string;
}
interface Listed {
  readonly id: string;
}

/** What stands in the way of running pods; undefined when nothing does. */
export async function whatIsNotReady(socket: string): Promise<string | undefined> {
  return withClient(socket, async (call) => {
    const { status } = await call<{ status?: { conditions?: readonly Condition[] } }>('Status', {
      response: 'StatusResponse',
    });
    return status?.conditions?.find(
      // Later lines add conditions that only warn.
      (condition) => MUST_BE_TRUE.has(condition.type) && condition.status !== true,
    )?.message;
  }).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
}

/** How many sandboxes and containers there are, running or not. */
export async function countPods(socket: string): Promise<{ pods: number; containers: number }> {
  return withClient(socket, async (call) => ({
    pods: (await listPods(call)).length,
    containers:
      (
        await call<{ containers?: readonly Listed[] }>('ListContainers', {
          response: 'ListContainersResponse',
        })
      ).containers?.length ?? 0,
  }));
}

/** Kills and removes all pods and forgets them; fails if one resists. */
export async function removePods(socket: string): Promise<void> {
  await withClient(socket, async (call) => {
    const pods = await listPods(call);
    await Promise.all(
      pods.map(({ id }) =>
        call('RemovePodSandbox', {
          request: ['RemovePodSandboxRequest', { podSandboxId: id }],
          response: 'Empty',
          deadlineMs: 20_000,
        }),
      ),
    );
  });
}

async function listPods(call: Call): Promise<readonly Listed[]> {
  const listed = await call<{ items?: readonly Listed[] }>('ListPodSandbox', {
    response: 'ListPodSandboxResponse',
  });
  return listed.items ?? [];
}

interface CallOptions {
  /** Message name and content; an empty message if left out. */
  readonly request?: readonly [type: string, content: object];
  readonly response: string;
  readonly deadlineMs?: number;
}
type Call = <Response>(method: string, options: CallOptions) => Promise<Response>;

async function withClient<Result>(
  socket: string,
  use: (call: Call) => Promise<Result>,
): Promise<Result> {
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), {
    // Each waits for its own daemon: none inherits the back-off of an earlier attempt.
    'grpc.use_local_subchannel_pool': 1,
  });
  const { root } = protobuf.parse(MESSAGES);
  const call: Call = <Response>(
    method: string,
    { request: [type, content] = ['Empty', {}], response, deadlineMs = 2000 }: CallOptions,
  ) =>
    new Promise<Response>((resolve, reject) => {
      client.makeUnaryRequest(
        `/runtime.v1.RuntimeService/${method}`,
        (message: object) => Buffer.from(root.lookupType(type).encode(message).finish()),
        (bytes) => root.lookupType(response).decode(bytes),
        content,
        { deadline: Date.now() + deadlineMs },
        (error, message) => {
          if (error) reject(error);
          else resolve(message as Response);
        },
      );
    });
  try {
    return await use(call);
  } finally {
    client.close();
  }
}
