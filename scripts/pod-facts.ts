/**
 * Looks at a running pod from outside: at processes and kernel objects, not at what the agent says.
 *
 * What an in-place restart must keep is compared by identity (inode, device number, id), so that
 * something made anew under the same name does not pass for the same.
 */
import { readFile, readlink, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { RepriseError } from '../src/errors.ts';
import type { V1ContainerStatus, V1Pod } from '../src/pod/pod-status.ts';
import type { PrivateContainerd } from './private-containerd/start.ts';

/** Where in the pod to look. */
export interface Viewpoint {
  /** A container that runs. */
  readonly container: string;
  /** A path in it at which a volume is mounted. */
  readonly volume: string;
  /** A file in it that is there from the start, and only grows. */
  readonly file: string;
  /** A device node in it. */
  readonly device: string;
}

/** A pod at one moment. */
export interface PodFacts {
  /** What an in-place restart keeps, in words for people, each with the identity in it. */
  readonly lasting: {
    readonly uid: string;
    readonly sandbox: string;
    readonly address: string;
    readonly networkNamespace: string;
    readonly cgroup: string;
    readonly volume: string;
    /** The first line of the file that was named. */
    readonly content: string;
    readonly device: string;
  };
  /** What it makes anew. */
  readonly containers: readonly {
    readonly name: string;
    readonly id: string;
    readonly restartCount: number;
  }[];
}

/** Takes the facts about a pod whose status is this. */
export async function takeFacts(
  containerd: Pick<PrivateContainerd, 'ctr'>,
  pod: V1Pod,
  { container, volume, file, device }: Viewpoint,
): Promise<PodFacts> {
  const containers = statusesOf(pod).map((status) => ({
    name: status.name,
    id: idOf(status),
    restartCount: status.restartCount,
  }));
  const id = containers.find(({ name }) => name === container)?.id ?? '';
  const pid = await pidOf(containerd, id);
  const inside = join('/proc', `${pid}`, 'root');
  const folder = await stat(join(inside, volume));
  return {
    lasting: {
      uid: pod.metadata.uid,
      sandbox: (await sandboxOf(containerd, id)).slice(0, 13),
      address: await addressOf(pid),
      networkNamespace: await readlink(`/proc/${pid}/ns/net`),
      cgroup: await cgroupOf(pid),
      volume: `device ${folder.dev}, inode ${folder.ino}`,
      content: await firstLineOf(join(inside, volume, file)),
      device: deviceNumber((await stat(join(inside, device))).rdev),
    },
    containers,
  };
}

function statusesOf({ status }: V1Pod): V1ContainerStatus[] {
  return [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
}

/** A finished container keeps its id. */
function idOf({ containerID = '' }: V1ContainerStatus): string {
  return containerID.replace(/^containerd:\/\//, '');
}

async function pidOf({ ctr }: Pick<PrivateContainerd, 'ctr'>, id: string): Promise<number> {
  const tasks = (await ctr('tasks', 'ls')).split('\n').map((row) => row.split(/\s+/));
  const task = tasks.find(([name]) => id !== '' && name === id);
  if (task?.[1] !== undefined) return Number(task[1]);
  throw new RepriseError('the container to look at does not run', { where: `container "${id}"` });
}

async function sandboxOf({ ctr }: Pick<PrivateContainerd, 'ctr'>, id: string): Promise<string> {
  const info = JSON.parse(await ctr('containers', 'info', id)) as {
    Spec: { annotations: Record<string, string> };
  };
  return info.Spec.annotations['io.kubernetes.cri.sandbox-id'] ?? '';
}

/** As the container's processes see it. */
async function addressOf(pid: number): Promise<string> {
  const { stdout } = await execa('nsenter', [
    ...['--target', `${pid}`, '--net', 'ip', '-4', '-json'],
    ...['address', 'show', 'dev', 'eth0'],
  ]);
  const [link] = JSON.parse(stdout) as { addr_info: { local: string }[] }[];
  return link?.addr_info[0]?.local ?? '';
}

/** The pod's cgroup is the parent of the container's. */
async function cgroupOf(pid: number): Promise<string> {
  const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).split('\n');
  const v1 = lines.find((line) => line.split(':')[1]?.split(',').includes('memory'));
  const own = (v1 ?? lines[0] ?? '').split(':').slice(2).join(':');
  // crun puts the processes one level below the scope of the container.
  const path = dirname(own.replace(/(\.scope)\/.*$/, '$1'));
  const hierarchy = v1 === undefined ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory';
  return `inode ${(await stat(join(hierarchy, path))).ino} of ${path}`;
}

async function firstLineOf(file: string): Promise<string> {
  const [line = ''] = (await readFile(file, 'utf8')).split('\n');
  return line;
}

/** Linux keeps 12 bits of the major and 8 of the minor number below, the rest above. */
function deviceNumber(rdev: number): string {
  return `${(rdev >> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >> 12) & 0xfff00)}`;
}
