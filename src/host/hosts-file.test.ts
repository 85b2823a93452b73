import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { Pod } from '../pod/pod.ts';
import { hostsFileContent, writeHostsFile } from './hosts-file.ts';

function aPod(spec: Partial<Pod['spec']> = {}): Pod {
  return {
    metadata: { name: 'web', namespace: 'lab' },
    spec: { hostNetwork: false, hostAliases: [], ...spec },
  } as unknown as Pod;
}

const node = { nodeHosts: '', clusterDomain: 'home.test' };

test('with a network of its own the pod is named for each of its addresses', (t) => {
  const lines = hostsFileContent(aPod(), ['10.1.0.2', 'fd00::2'], node).split('\n');
  t.is(lines[0], '# Kubernetes-managed hosts file.');
  t.true(lines.includes('127.0.0.1\tlocalhost'));
  t.deepEqual(lines.slice(-3), ['10.1.0.2\tweb', 'fd00::2\tweb', '']);
});

test('the hostname of the manifest is used, cut as the kernel needs it', (t) => {
  const pod = aPod({ hostname: `${'h'.repeat(62)}-tail` });
  t.true(hostsFileContent(pod, ['10.1.0.2'], node).endsWith(`10.1.0.2\t${'h'.repeat(62)}\n`));
});

test('a subdomain gives the pod a full name before the short one', (t) => {
  const content = hostsFileContent(aPod({ subdomain: 'sub' }), ['10.1.0.2', 'fd00::2'], node);
  t.deepEqual(content.split('\n').slice(-3), [
    '10.1.0.2\tweb.sub.lab.svc.home.test\tweb',
    'fd00::2\tweb.sub.lab.svc.home.test\tweb',
    '',
  ]);
});

test("with the host's network it is the node's own file", (t) => {
  t.is(
    hostsFileContent(aPod({ hostNetwork: true }), ['10.1.0.2'], {
      ...node,
      nodeHosts: '127.0.0.1 node\n',
    }),
    '# Kubernetes-managed hosts file (host network).\n127.0.0.1 node\n',
  );
});

test('aliases come last, one line for each address', (t) => {
  const pod = aPod({
    hostAliases: [
      { ip: '1.2.3.4', hostnames: ['a.test', 'b.test'] },
      { ip: '::5', hostnames: ['c.test'] },
    ],
  });
  const [, aliases] = hostsFileContent(pod, [], node).split('\n\n');
  t.is(aliases, '# Entries added by HostAliases.\n1.2.3.4\ta.test\tb.test\n::5\tc.test\n');
});

test('the file is replaced when something changed, and left alone when not', async (t) => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-hosts-'));
  const file = path.join(folder, 'etc-hosts');
  try {
    await writeHostsFile(file, aPod(), ['10.1.0.2'], node);
    const first = await fs.stat(file);
    t.is(first.mode & 0o777, 0o644);
    await writeHostsFile(file, aPod(), ['10.1.0.2'], node);
    t.is((await fs.stat(file)).ino, first.ino);
    await writeHostsFile(file, aPod(), ['10.1.0.3'], node);
    t.true((await fs.readFile(file, 'utf8')).endsWith('10.1.0.3\tweb\n'));
    t.deepEqual(await fs.readdir(folder), ['etc-hosts']);
  } finally {
    await fs.rm(folder, { recursive: true });
  }
});

test('a file that a container has made larger than could be read is replaced', async (t) => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-hosts-'));
  const file = path.join(folder, 'etc-hosts');
  try {
    await writeHostsFile(file, aPod(), ['10.1.0.2'], node);
    const written = await fs.readFile(file, 'utf8');
    await fs.truncate(file, 3 * 2 ** 30); // All of it a hole: it takes no room.
    await writeHostsFile(file, aPod(), ['10.1.0.2'], node);
    t.is(await fs.readFile(file, 'utf8'), written);
    await fs.writeFile(file, written.replace('web', 'bew'));
    await writeHostsFile(file, aPod(), ['10.1.0.2'], node);
    t.is(await fs.readFile(file, 'utf8'), written);
  } finally {
    await fs.rm(folder, { recursive: true });
  }
});
