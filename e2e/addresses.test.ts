// Pods with several addresses: what the kernel, the status, the variables and /etc/hosts say of them. And
// none: a node without a network.
import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { container, pod } from './manifests.ts';
import { until } from './node.ts';
import { sharedNode } from './shared.ts';
import { reporter, reportingPod, reportsAroundRestart } from './reports.ts';

const node = sharedNode((one) => one.agent(), { dualStack: true });

test.serial(
  'a pod has an address of each family, everywhere the same, through restarts in place',
  async (t) => {
    const field = (name: string, fieldPath: string) => ({
      name,
      valueFrom: { fieldRef: { fieldPath } },
    });
    const env = [
      { name: 'NAME', value: 'main' },
      field('ONE', 'status.podIP'),
      field('ALL', 'status.podIPs'),
    ];
    const main = reporter(
      'main',
      // A link-local address is `tentative` for a second or two: those that the pod was given are not.
      'echo "$ONE"; echo "$ALL"; tail -n 2 /etc/hosts; ip -o address show dev eth0 scope global',
      { env },
    );
    const manifest = reportingPod('two-addresses', [main]);
    const { before, after, pods } = await reportsAroundRestart(node(), manifest, 'main');
    const [first, second] = pods;
    const ips = (first.status.podIPs ?? []).map(({ ip }) => ip);
    const [v4 = '', v6 = ''] = ips;
    t.is(ips.length, 2);
    t.regex(v4, /^\d+\.\d+\.\d+\.\d+$/);
    t.regex(v6, /^fd72:/);
    t.is(first.status.podIP, v4);
    t.deepEqual(second.status.podIPs, first.status.podIPs);
    t.deepEqual(before['main']?.slice(0, 4), [
      v4,
      `${v4},${v6}`,
      `${v4}\ttwo-addresses`,
      `${v6}\ttwo-addresses`,
    ]);
    t.deepEqual(after, before);
    const links = before['main']?.slice(4).join('\n') ?? '';
    for (const ip of ips) t.true(links.includes(` ${ip}/`), links);
    await node().removed('two-addresses');
  },
);

test.serial('without a network pods wait and say why, but for those of the node', async (t) => {
  const folder = path.join(node().containerd.dir, 'cni', 'conf');
  const away = path.join(node().dir, 'cni-conf');
  await fs.cp(folder, away, { recursive: true });
  // containerd watches the folder: for what goes, and for what is written.
  for (const file of await fs.readdir(folder)) await fs.rm(path.join(folder, file));
  await node().apply(pod('cut-off', [], [container('main')]));
  await node().apply(pod('at-home', [], [container('main')], { hostNetwork: true }));
  await node().ready('at-home');
  const told = await until('the pod says what it waits for', async () => {
    const events = await node().events('cut-off');
    return events.length > 0 && events;
  });
  t.is(told.length, 1, told.join('\n'));
  t.regex(
    told[0] ?? '',
    /^Warning NetworkNotReady: network is not ready: .*NetworkReady=false reason:NetworkPluginNotReady/,
  );
  t.deepEqual((await node().pod('cut-off')).status.podIPs ?? [], []);
  for (const file of await fs.readdir(away)) {
    await fs.copyFile(path.join(away, file), path.join(folder, file));
  }
  const one = await node().ready('cut-off');
  t.is(one.status.podIPs?.length, 2);
  await node().removed('cut-off', 'at-home');
});
