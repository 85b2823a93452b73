/** Looks into running containers from the node, and at what the node has mounted for a pod. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import type { V1Pod } from '../src/pod/pod-status.ts';
import type { TestNode } from './node.ts';

/** Runs a shell's script in the namespaces and the root of a container. */
export async function inside(
  node: TestNode,
  of: V1Pod,
  name: string,
  script: string,
): Promise<string> {
  const pid = await node.pidOf(of, name);
  if (pid === undefined) throw new Error(`container ${name} does not run`);
  const args = ['-t', String(pid), '-m', '-p', '-r', '-w', '--', 'sh', '-c', script];
  const { all } = await execa('nsenter', args, { all: true, reject: false });
  return all;
}

/** Ids of the mounts below a pod's own folder, by their place. */
export async function hostMounts(node: TestNode, of: V1Pod): Promise<Record<string, string>> {
  const folder = path.join(node.dataDir, 'pods', of.metadata.uid);
  const lines = (await fs.readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  const rows = lines.map((line) => line.split(' '));
  return Object.fromEntries(
    rows.flatMap(([id = '', , , , place = '']) =>
      place.startsWith(`${folder}/`) ? [[place.slice(folder.length + 1), id]] : [],
    ),
  );
}
