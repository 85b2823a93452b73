import test from 'ava';
import { checkResolver } from './check-host.ts';
import type { Finding } from './finding.ts';

type Verdict = Finding['verdict'];

const cases: Record<string, readonly [servers: string[], file: string, verdict: Verdict]> = {
  'servers that pods can reach': [['192.0.2.1', '127.0.0.1'], '/etc/resolv.conf', 'ok'],
  'servers on the loopback alone': [['127.0.0.53', '::1'], '/etc/resolv.conf', 'warn'],
  'no server': [[], '/etc/resolv.conf', 'warn'],
  'no server, as it was asked for': [[], '', 'ok'],
};
for (const [title, [servers, file, verdict]] of Object.entries(cases)) {
  test(`${verdict}: ${title}`, (t) => {
    const found = checkResolver({ file, config: { servers, searches: [], options: [] } });
    t.is(found.verdict, verdict);
    t.is(found.next !== undefined, verdict === 'warn');
    for (const server of servers) t.true(found.finding.includes(server));
  });
}
