import test from 'ava';
import type { PodSpec } from '../pod/pod.ts';
import { aContainer, aPod } from '../testing/builders.ts';
import { dnsOf } from './dns.ts';
import type { DNSConfig } from './generated/runtime/v1/DNSConfig.ts';

const ofTheNode = { servers: ['192.0.2.53'], searches: ['example.org'], options: ['ndots:2'] };

function of(spec: Partial<PodSpec>, node = ofTheNode): DNSConfig {
  return dnsOf(aPod([], [aContainer('main')], spec), node);
}

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
  test(title, (t) => t.like(of(spec), expected));
}

test('search domains end where the resolver would stop to read', (t) => {
  const domain = (n: number) => `${String(n).padStart(3, '0')}.${'x'.repeat(100)}`;
  const searches = Array.from({ length: 40 }, (_, n) => domain(n));
  const { searches: kept = [] } = of({ dnsConfig: { nameservers: [], searches, options: [] } });
  t.true(kept.join(' ').length <= 2048);
  t.is(kept.length, 20);
});
