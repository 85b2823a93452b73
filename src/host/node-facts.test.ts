import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { chooseHostIPs, countHugePages, readNodeFacts } from './node-facts.ts';

test('huge pages are counted as they are now', (t) => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-pages-'));
  t.teardown(() => fs.rmSync(root, { recursive: true }));
  const counts = { 'hugepages-64kB': 0, 'hugepages-2048kB': 3, 'hugepages-1048576kB': 1 };
  for (const [folder, count] of Object.entries(counts)) {
    fs.mkdirSync(path.join(root, folder));
    fs.writeFileSync(path.join(root, folder, 'nr_hugepages'), `${count}\n`);
  }
  t.deepEqual(countHugePages(root), { '64KB': 0, '2MB': 3, '1GB': 1 });
  fs.writeFileSync(path.join(root, 'hugepages-2048kB', 'nr_hugepages'), '7\n');
  t.deepEqual(countHugePages(root), { '64KB': 0, '2MB': 7, '1GB': 1 });
  t.deepEqual(countHugePages(path.join(root, 'none')), {});
});

const address = (
  family: 'IPv4' | 'IPv6',
  text: string,
  internal = false,
): os.NetworkInterfaceInfo => ({ family, address: text, internal }) as os.NetworkInterfaceInfo;

const interfaces = {
  lo: [address('IPv4', '127.0.0.1', true), address('IPv6', '::1', true)],
  docker0: [address('IPv4', '172.17.0.1')],
  eth0: [
    address('IPv4', '192.0.2.7'),
    address('IPv6', 'fe80::7'),
    address('IPv6', '2001:db8::7'),
    address('IPv6', '2001:db8::8'),
  ],
};
const header = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT';
const route = (name: string, metric: number): string =>
  `${name}\t00000000\t0102A8C0\t0003\t0\t0\t${metric}\t00000000\t0\t0\t0`;

test('the node is known by the addresses of its default route, one per family', (t) => {
  t.deepEqual(chooseHostIPs(interfaces, [header, route('eth0', 0)].join('\n')), [
    '192.0.2.7',
    '2001:db8::7',
  ]);
});

test('of several default routes the cheapest counts', (t) => {
  const routes = [header, route('eth0', 100), route('docker0', 50)].join('\n');
  t.is(chooseHostIPs(interfaces, routes)[0], '172.17.0.1');
});

test('an interface without the default route adds no address of another family', (t) => {
  const bridge = { cni0: [address('IPv6', '2001:db8:1::1')], eth0: [address('IPv4', '192.0.2.7')] };
  t.deepEqual(chooseHostIPs(bridge, [header, route('eth0', 0)].join('\n')), ['192.0.2.7']);
});

test('an address that would still do is kept, and no other', (t) => {
  const routes = [header, route('eth0', 0)].join('\n');
  const chosen = (...known: string[]) => chooseHostIPs(interfaces, routes, known);
  t.deepEqual(chosen('192.0.2.7', '2001:db8::8'), ['192.0.2.7', '2001:db8::8']);
  t.deepEqual(chosen('192.0.2.6', '2001:db8::9'), ['192.0.2.7', '2001:db8::7']);
  t.deepEqual(chosen('172.17.0.1'), ['192.0.2.7', '2001:db8::7']);
});

test('without a default route any outward address will do, and there may be none', (t) => {
  t.deepEqual(chooseHostIPs(interfaces, header), ['172.17.0.1', '2001:db8::7']);
  t.deepEqual(chooseHostIPs({ lo: interfaces.lo }, header), []);
});

test('this machine has a name, memory, an address and a cgroup version', (t) => {
  const facts = readNodeFacts({
    agentId: 'agent-1',
    dataDir: os.tmpdir(),
    name: 'given',
    features: { strictSupplementalGroups: true, handlers: {} },
    hierarchy: { version: 1, root: '/nonexistent', controllers: {} },
  });
  t.is(facts.name, 'given');
  t.is(facts.agentId, 'agent-1');
  t.true(facts.memoryBytes > 2 ** 20);
  t.true(facts.hostIPs.length > 0);
  t.is(facts.cgroupVersion, 1);
  t.false(facts.swapLimits);
  t.is(facts.seccompDirectory, path.join(os.tmpdir(), 'seccomp'));
  t.true(facts.cpus >= 1);
  t.true(facts.storageBytes > 2 ** 20);
  t.true(facts.strictSupplementalGroups);
  for (const size of facts.hugePageSizes) t.regex(size, /^\d+[KMG]B$/);
});
