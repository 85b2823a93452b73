// Pods with several addresses: what the kernel, the status, the variables and /etc/hosts say of them.
import test from 'ava';
import { sharedNode } from './shared.ts';
import { reporter, reportingPod, reportsAroundRestart } from './reports.ts';

const node = sharedNode((one) => one.agent(), { dualStack: true });

test('a pod has an address of each family, everywhere the same, through restarts in place', async (t) => {
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
});
