// What a pod is called, whom it sees and whom it asks for names: read from inside its containers, and
// held against the node's own namespaces and files.
import fs from 'node:fs/promises';
import os from 'node:os';
import test from 'ava';
import type { ManifestOf } from './manifests.ts';
import { pod, container } from './manifests.ts';
import { until } from './node.ts';
import { blink } from './pace.ts';
import { sharedNode } from './shared.ts';
import type { Reports } from './reports.ts';
import { reporter, reportingPod, reportsAroundRestart } from './reports.ts';

const node = sharedNode((one) => one.agent('--cluster-domain', 'home.test'));

/** What the containers of a pod report, the same before and after a restart in place. */
async function seenIn(
  t: { deepEqual: (a: unknown, b: unknown) => unknown },
  manifest: ManifestOf,
  ...names: string[]
): Promise<Reports & { readonly address: readonly string[] }> {
  const { before, after, pods } = await reportsAroundRestart(node(), manifest, ...names);
  t.deepEqual(after, before);
  const { podIP = 'none' } = pods[0].status;
  await node().removed(manifest.metadata.name);
  return { ...before, address: [podIP] };
}

/** The namespace of the node's own processes. */
async function ownNamespace(kind: string): Promise<string> {
  return await fs.readlink(`/proc/self/ns/${kind}`);
}

const linksTo = (kinds: readonly string[]): string =>
  kinds.map((kind) => `readlink /proc/self/ns/${kind};`).join(' ');

test('a pod shares its network, IPC and names, and nothing with the node', async (t) => {
  const ofPod = ['net', 'ipc', 'uts'];
  const ofContainer = ['pid', 'mnt'];
  const report = linksTo([...ofPod, ...ofContainer]);
  const containers = [reporter('one', report), reporter('two', report)];
  const manifest = reportingPod('own-namespaces', containers);
  const { before, after } = await reportsAroundRestart(node(), manifest, 'one', 'two');
  for (const [index, kind] of [...ofPod, ...ofContainer].entries()) {
    const [one, two] = [after['one']?.[index], after['two']?.[index]];
    t.not(one, await ownNamespace(kind), kind);
    if (ofPod.includes(kind)) t.deepEqual([one, two], [before['one']?.[index], one], kind);
    else t.not(one, two, kind);
  }
  await node().removed('own-namespaces');
});

test("the node's network, processes and IPC can be asked for", async (t) => {
  const ofNode = ['net', 'pid', 'ipc'];
  const report = `${linksTo(ofNode)} hostname; cat /etc/hosts; ls -d /proc/${process.pid}`;
  const manifest = reportingPod('host-namespaces', [reporter('main', report)], {
    hostNetwork: true,
    hostPID: true,
    hostIPC: true,
    hostAliases: [{ ip: '192.0.2.7', hostnames: ['alias.test'] }],
  });
  const { main = [] } = await seenIn(t, manifest, 'main');
  for (const kind of ofNode) t.true(main.includes(await ownNamespace(kind)), kind);
  t.true(main.includes(os.hostname()));
  t.true(main.includes('# Kubernetes-managed hosts file (host network).'));
  for (const line of (await fs.readFile('/etc/hosts', 'utf8')).split('\n')) {
    t.true(main.includes(line), line);
  }
  t.true(main.includes('192.0.2.7\talias.test'));
  t.true(main.includes(`/proc/${process.pid}`), 'it sees this very process');
});

test('a container works where it is told to, and has an input that stays open if it wants one', async (t) => {
  // Whoever has no input is at its end at once.
  const report = 'pwd; exec 3<&0; (cat <&3; echo "the end of its input") & sleep 2';
  const { main, other } = await seenIn(
    t,
    reportingPod('inputs', [
      reporter('main', report, { workingDir: '/not/there/before', stdin: true }),
      reporter('other', report),
    ]),
    'main',
    'other',
  );
  t.deepEqual(main, ['/not/there/before']);
  t.deepEqual(other, ['/', 'the end of its input']);
});

test('processes are shared among the containers of a pod that wants it', async (t) => {
  const all = "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep '^NAME=' | sort -u";
  // The containers start one after another.
  const report = `readlink /proc/self/ns/pid; while [ $(${all} | wc -l) -lt 3 ]; do sleep ${blink}; done; ${all}`;
  const containers = [reporter('one', report), reporter('two', report)];
  const manifest = reportingPod('shared-processes', containers, { shareProcessNamespace: true });
  const { one = [], two = [] } = await seenIn(t, manifest, 'one', 'two');
  t.deepEqual(one, two);
  t.not(one[0], await ownNamespace('pid'));
  t.deepEqual(one.slice(1), ['NAME=one', 'NAME=two', 'NAME=watcher']);
});

const names: Readonly<Record<string, readonly [Record<string, unknown>, string, string]>> = {
  'the name of the pod': [{}, 'named', 'named'],
  'its hostname': [{ hostname: 'given' }, 'given', 'given'],
  'a hostname in a domain': [
    { hostname: 'given', subdomain: 'sub' },
    'given',
    'given.sub.default.svc.home.test\tgiven',
  ],
  'a full name': [
    { subdomain: 'sub', setHostnameAsFQDN: true },
    'named.sub.default.svc.home.test',
    'named.sub.default.svc.home.test\tnamed',
  ],
  'an override': [{ hostnameOverride: 'over.ride', subdomain: 'sub' }, 'over.ride', 'over.ride'],
};

test.serial('a pod is called what it wants to be called', async (t) => {
  for (const [title, [spec, hostname, inHosts]] of Object.entries(names)) {
    const report = 'hostname; cat /etc/hostname; echo $HOSTNAME; cat /etc/hosts';
    const manifest = reportingPod('named', [reporter('main', report)], spec);
    const { main = [], address } = await seenIn(t, manifest, 'main');
    t.deepEqual(main.slice(0, 3), [hostname, hostname, hostname], title);
    t.is(main.at(-1), `${address[0]}\t${inHosts}`, title);
  }
});

test('a full name that the kernel does not take is refused with the reason', async (t) => {
  const spec = { hostname: 'h'.repeat(60), subdomain: 'sub', setHostnameAsFQDN: true };
  await node().apply(pod('too-long', [], [container('main')], spec));
  await until('the reason is told', async () =>
    (await node().events('too-long')).some((event) =>
      /FailedCreatePodSandBox: Failed to create pod sandbox: .*is too long: 86 characters/.test(
        event,
      ),
    ),
  );
  t.is((await node().pod('too-long')).status.phase, 'Pending');
  await node().removed('too-long');
});

test('aliases stand in /etc/hosts, and can be asked for', async (t) => {
  const report = 'tail -n 3 /etc/hosts; ping -c 1 -W 1 second.test | head -n 1';
  const manifest = reportingPod('aliases', [reporter('main', report)], {
    hostAliases: [
      { ip: '127.0.0.7', hostnames: ['first.test', 'second.test'] },
      { ip: '192.0.2.9', hostnames: ['third.test'] },
    ],
  });
  const { main = [] } = await seenIn(t, manifest, 'main');
  t.deepEqual(main.slice(0, 3), [
    '# Entries added by HostAliases.',
    '127.0.0.7\tfirst.test\tsecond.test',
    '192.0.2.9\tthird.test',
  ]);
  t.regex(main[3] ?? '', /127\.0\.0\.7/);
});

test('names are asked for as the pod says, or as the node does', async (t) => {
  const own = {
    nameservers: ['192.0.2.53'],
    searches: ['a.test', 'b.test'],
    options: [{ name: 'ndots', value: '3' }, { name: 'edns0' }],
  };
  const seenWith = async (name: string, spec: Record<string, unknown>): Promise<string[]> => {
    const main = reporter('main', 'cat /etc/resolv.conf');
    const { main: lines = [] } = await seenIn(t, reportingPod(name, [main], spec), 'main');
    return [...lines];
  };
  const nameservers = ['192.0.2.53', '192.0.2.54', '192.0.2.55'];
  const onTop = { dnsConfig: { nameservers, searches: ['a.test'] } };
  const [none, usual, cluster, onHost] = await Promise.all([
    seenWith('dns-none', { dnsPolicy: 'None', dnsConfig: own }),
    seenWith('dns-default', { dnsPolicy: 'Default', ...onTop }),
    seenWith('dns-cluster', { dnsPolicy: 'ClusterFirst', ...onTop }),
    seenWith('dns-host', { dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true, ...onTop }),
  ]);
  t.deepEqual(none, ['search a.test b.test', 'nameserver 192.0.2.53', 'options ndots:3 edns0']);
  const nodes = (await fs.readFile('/etc/resolv.conf', 'utf8')).split('\n');
  const ofNode = nodes.flatMap((line) => /^nameserver\s+(\S+)/.exec(line)?.[1] ?? []);
  if (ofNode.length === 0) t.log('no server too many: the node asks nobody for names');
  else {
    // The resolver asks three at most.
    const servers = [...ofNode, ...nameservers].slice(0, 3);
    t.deepEqual(
      usual.filter((line) => line.startsWith('nameserver ')),
      servers.map((server) => `nameserver ${server}`),
    );
    const omitted = `Warning DNSConfigForming: Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(' ')}`;
    t.true((await node().events('dns-default')).includes(omitted));
  }
  t.regex(usual.find((line) => line.startsWith('search ')) ?? '', / a\.test$/);
  // There is no cluster to ask first.
  t.deepEqual(cluster, usual);
  t.deepEqual(onHost, usual);
  t.true(
    (await node().events('dns-host')).includes(
      'Warning MissingClusterDNS: There is no cluster DNS here to create Pod using "ClusterFirstWithHostNet" policy. Falling back to "Default" policy.',
    ),
  );
});
