// Ports of the node that lead to a pod: by TCP and UDP, through loopback and through another address
// of the node, and only to one pod.
import dgram from 'node:dgram';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { freePort } from './free-port.ts';
import { container, pod, restartAllOn, sidecar } from './manifests.ts';
import { generationOf, isReady, patience, until } from './node.ts';
import { sharedNode } from './shared.ts';

const node = sharedNode();

const serves = 'exec httpd -f -p 8080 -h /shared';

function serving(name: string, tcp: number, udp: number, more: object = {}): object {
  const web = container('web', serves, {
    ports: [{ containerPort: 8080, hostPort: tcp, ...more }],
    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1, timeoutSeconds: 30 },
  });
  const ear = container('ear', undefined, {
    ports: [{ containerPort: 5353, hostPort: udp, protocol: 'UDP', ...more }],
  });
  return pod(name, [sidecar('watcher', restartAllOn(88))], [web, ear]);
}

/** The answer to a request for a file in the pod's volume. */
async function fetched(host: string, port: number, file: string): Promise<string | undefined> {
  const url = `http://${host}:${port}/${file}`;
  const answer = await fetch(url, { signal: patience() }).catch(() => undefined);
  return answer?.ok === true ? (await answer.text()).trim() : undefined;
}

/** How many datagrams the pod's network got that nobody listens for: busybox has no UDP server. */
async function datagramsIn(one: V1Pod): Promise<number> {
  const pid = await node().pidOf(one, 'ear');
  const lines = (await fs.readFile(`/proc/${pid}/net/snmp`, 'utf8')).split('\n');
  const [names = [], values = []] = lines
    .filter((line) => line.startsWith('Udp: '))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('NoPorts')]);
}

/** Says something by UDP until the pod gets it. */
async function isHeard(one: V1Pod, host: string, port: number): Promise<void> {
  const socket = dgram.createSocket('udp4');
  const before = await datagramsIn(one);
  await until('the pod gets a datagram', async () => {
    socket.send('hello', port, host);
    return (await datagramsIn(one)) > before;
  });
  socket.close();
  await once(socket, 'close');
}

test('ports of the node lead to the pod, before and after a restart in place', async (t) => {
  const [tcp, udp] = [await freePort(), await freePort()];
  await node().apply(JSON.stringify(serving('ports', tcp, udp)));
  const first = await node().podThat('ports', 'serves', isReady);
  await fs.writeFile(path.join(node().volume(first), 'file'), 'from the pod');
  // The bridge's own address, as one of the node's.
  const bridge = first.status.podIP?.replace(/\d+$/, '1') ?? '';
  for (const host of ['127.0.0.1', bridge]) {
    t.is(await until('it answers', () => fetched(host, tcp, 'file')), 'from the pod', host);
  }
  await isHeard(first, bridge, udp);

  await node().tell(first, 'watcher', 88);
  const second = await node().podThat(
    'ports',
    'is back',
    (one) => isReady(one) && generationOf(one) === 1,
  );
  t.is(await until('it answers', () => fetched(bridge, tcp, 'file')), 'from the pod');
  await isHeard(second, '127.0.0.1', udp);

  await node().removed('ports');
  t.is(await fetched('127.0.0.1', tcp, 'file'), undefined, 'they lead nowhere when it is gone');
});

test('a port for SCTP leads to the pod: so say the rules of the node, nothing here speaks it', async (t) => {
  const hostPort = await freePort();
  const ports = [{ containerPort: 2905, hostPort, protocol: 'SCTP' }];
  await node().apply(pod('sctp', [], [container('main', undefined, { ports })]));
  const { status } = await node().podThat('sctp', 'runs', isReady);
  const leads = `-p sctp .*--dport ${hostPort} .*--to-destination ${status.podIP}:2905$`;
  const rules = async () => (await execa('iptables', ['-w', '-t', 'nat', '-S'])).stdout;
  t.regex(await rules(), new RegExp(leads, 'm'));
  await node().removed('sctp');
  t.notRegex(await rules(), new RegExp(`--dport ${hostPort} `));
});

test('a port leads to one pod', async (t) => {
  const [tcp, udp] = [await freePort(), await freePort()];
  const only = { hostIP: '127.0.0.1' };
  await node().apply(JSON.stringify(serving('first', tcp, udp, only)));
  await node().podThat('first', 'serves', isReady);
  await node().apply(JSON.stringify(serving('second', tcp, await freePort())));
  const { status } = await node().podThat(
    'second',
    'is over',
    (one) => one.status.phase === 'Failed',
  );
  t.is(status.reason, 'NodePorts');
  t.regex(status.message ?? '', new RegExp(`TCP port ${tcp} .* taken by pod default/first$`));
  await node().removed('second');
  await node().removed('first');
  await node().apply(JSON.stringify(serving('third', tcp, udp)));
  await node().podThat('third', 'serves', isReady);
  await node().removed('third');
});
