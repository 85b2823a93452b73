import test from 'ava';
import type { ResolverConfig } from '../pod/node-facts.ts';
import type { PodSpec } from '../pod/pod.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import { dnsOf } from './dns.ts';

const ofTheNode = { servers: ['192.0.2.53'], searches: ['example.org'], options: ['ndots:2'] };

function of(spec: Partial<PodSpec>, node: ResolverConfig = ofTheNode) {
  return dnsOf(aPod([], [aContainer('main')], spec), node);
}

const lines = (count: number, line: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => line(n));

const resolvers: Record<string, readonly [Partial<PodSpec>, object]> = {
  'without a cluster the resolver is that of the node': [
    { dnsPolicy: 'ClusterFirst' },
    { servers: ['192.0.2.53'], searches: ['example.org'], options: ['ndots:2'] },
  ],
  'None leaves only what the pod says': [
    { dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'], searches: [], options: [] } },
    { servers: ['1.1.1.1'], searches: [], options: [] },
  ],
  'what the pod says is added, without doubles, and its options win': [
    {
      dnsConfig: {
        nameservers: ['192.0.2.53', '192.0.2.54'],
        searches: ['a.org'],
        options: [{ name: 'ndots', value: '5' }, { name: 'rotate' }],
      },
    },
    {
      servers: ['192.0.2.53', '192.0.2.54'],
      searches: ['example.org', 'a.org'],
      options: ['ndots:5', 'rotate'],
    },
  ],
  'no more than three servers, the limit of the resolver': [
    { dnsConfig: { nameservers: ['1.1.1.1', '2.2.2.2', '3.3.3.3'], searches: [], options: [] } },
    { servers: ['192.0.2.53', '1.1.1.1', '2.2.2.2'] },
  ],
};
for (const [title, [spec, expected]] of Object.entries(resolvers)) {
  test(title, (t) => t.like(of(spec).config, expected));
}

const nobody = { servers: [], searches: [], options: [] };
const loopbacks: Record<string, readonly [hostIPs: readonly string[], servers: readonly string[]]> =
  {
    'without an address': [[], ['127.0.0.1']],
    'with IPv4': [['192.0.2.7'], ['127.0.0.1']],
    'with IPv6 alone': [['2001:db8::7'], ['::1']],
    'with both': [
      ['192.0.2.7', '2001:db8::7'],
      ['127.0.0.1', '::1'],
    ],
  };
for (const [title, [hostIPs, servers]] of Object.entries(loopbacks)) {
  // containerd takes a resolver without anything in it for the wish to have that of the node.
  test(`where there is no resolver pods ask themselves, on a node ${title}`, (t) => {
    const { config } = dnsOf(aPod([], [aContainer('main')]), nobody, hostIPs);
    t.deepEqual(config, { servers: [...servers], searches: ['.'], options: [] });
  });
}

test('where there is no resolver a pod still has what it says, and with None nothing else', (t) => {
  const dnsConfig = { nameservers: ['1.1.1.1'], searches: ['a.org'], options: [] };
  t.like(of({ dnsConfig }, nobody).config, {
    servers: ['127.0.0.1', '1.1.1.1'],
    searches: ['.', 'a.org'],
  });
  t.like(of({ dnsPolicy: 'None', dnsConfig }, nobody).config, {
    servers: ['1.1.1.1'],
    searches: ['a.org'],
  });
});

test('search domains end where the resolver would stop to read', (t) => {
  const domain = (n: number) => `${String(n).padStart(3, '0')}.${'x'.repeat(100)}`;
  const searches = lines(40, domain);
  const { config } = of({ dnsConfig: { nameservers: [], searches, options: [] } });
  const { searches: kept = [] } = config;
  t.true(kept.join(' ').length <= 2048);
  t.is(kept.length, 20);
});

const own = (more: Partial<NonNullable<PodSpec['dnsConfig']>>) => ({
  dnsPolicy: 'None' as const,
  dnsConfig: { nameservers: ['1.1.1.1'], searches: [], options: [], ...more },
});
const omitted = {
  searches:
    'Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ',
  servers:
    'Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ',
};
const servers = (count: number) => lines(count, (n) => `10.0.0.${n}`);
const searches = (count: number) => lines(count, (n) => `${n}.org`);
const long = `a.${'x'.repeat(252)}`;

const warnings: Record<string, readonly [Partial<PodSpec>, warnings: readonly string[]]> = {
  'the usual policy is no matter of a warning': [{ dnsPolicy: 'ClusterFirst' }, []],
  'who asks for the DNS of a cluster with the network of the node is told that there is none': [
    { dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true },
    [
      'MissingClusterDNS: There is no cluster DNS here to create Pod using "ClusterFirstWithHostNet" policy. Falling back to "Default" policy.',
    ],
  ],
  'what fits is no matter of a warning': [
    own({ nameservers: servers(3), searches: searches(32) }),
    [],
  ],
  'doubles are not too many': [own({ nameservers: [...servers(3), ...servers(3)] }), []],
  'too many servers': [
    own({ nameservers: servers(4) }),
    [`DNSConfigForming: ${omitted.servers}10.0.0.0 10.0.0.1 10.0.0.2`],
  ],
  'too many search domains': [
    own({ searches: searches(33) }),
    [`DNSConfigForming: ${omitted.searches}${searches(32).join(' ')}`],
  ],
  'a search domain that is too long': [
    own({ searches: ['b.org', long, 'c.org'] }),
    [`DNSConfigForming: ${omitted.searches}b.org c.org`],
  ],
  "the node's own count too": [
    { dnsConfig: { nameservers: servers(3), searches: searches(32), options: [] } },
    [
      `DNSConfigForming: ${omitted.searches}example.org ${searches(31).join(' ')}`,
      `DNSConfigForming: ${omitted.servers}192.0.2.53 10.0.0.0 10.0.0.1`,
    ],
  ],
};
for (const [title, [spec, expected]] of Object.entries(warnings)) {
  test(title, (t) => {
    const told = of(spec).warnings;
    t.deepEqual(
      told.map(({ reason, message }) => `${reason}: ${message}`),
      expected,
    );
    t.true(told.every(({ type }) => type === 'Warning'));
  });
}
