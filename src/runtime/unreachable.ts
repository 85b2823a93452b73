/**
 * Why containerd does not answer. gRPC only says that it does not; knocking at the socket once
 * tells the cases apart that a user would treat differently.
 */
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { RepriseError } from '../errors.ts';

/** `missing`: no such socket. `denied`: not for us. `silent`: nobody listens. `other`: no socket. `busy`: it starts or stops. */
export type UnreachableReason = 'missing' | 'denied' | 'silent' | 'other' | 'busy';

/** containerd cannot be reached: commands exit 3, the agent keeps trying. */
export class ContainerdUnreachable extends RepriseError {
  readonly reason: UnreachableReason;

  constructor(reason: UnreachableReason, socketPath: string, cause?: unknown) {
    const [why, next] = explanations[reason];
    super(`containerd is not reachable: ${why}`, { where: socketPath, next, cause });
    this.reason = reason;
  }
}

const explanations: Readonly<Record<UnreachableReason, readonly [why: string, next: string]>> = {
  missing: [
    'there is no such socket',
    'start containerd, or name its socket with --containerd or CONTAINERD_ADDRESS',
  ],
  denied: ['permission denied', 'run as root, or name a socket you may use with --containerd'],
  silent: [
    'nobody listens on the socket',
    'start containerd: the socket is left over from one that has ended',
  ],
  other: [
    'there is something that is not a socket',
    'name the socket of containerd with --containerd',
  ],
  busy: [
    'it listens, but does not answer calls',
    'wait until containerd has started; otherwise look at its log',
  ],
};

/** Finds out why, by one connection of its own. */
export async function containerdUnreachable(
  socketPath: string,
  cause?: unknown,
): Promise<ContainerdUnreachable> {
  return new ContainerdUnreachable(await knock(socketPath), socketPath, cause);
}

function knock(socketPath: string): Promise<UnreachableReason> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve('busy');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const reason = reasonOf(error.code);
      resolve(reason === 'silent' && !isSocket(socketPath) ? 'other' : reason);
    });
  });
}

/** Whatever else is there refuses connections, too. */
function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() ?? true;
}

function reasonOf(errno: string | undefined): UnreachableReason {
  return (errno === undefined ? undefined : reasons[errno]) ?? 'silent';
}

const reasons: Readonly<Record<string, UnreachableReason>> = {
  EACCES: 'denied',
  EPERM: 'denied',
  ENOENT: 'missing',
  // A path that leads through a file, or is too long for a socket, names no socket.
  ENOTDIR: 'missing',
  EINVAL: 'missing',
  ENAMETOOLONG: 'missing',
};
