import test from 'ava';
import { aContainer, aPod } from '../testing/builders.ts';
import { aNode } from '../testing/node.ts';
import type { Loan } from '../pod/loan.ts';
import { surroundingsOf } from './start-container.ts';

const pod = aPod([], [aContainer('main')]);
const loan = { volumes: {} } as Loan;

async function hash(more: Parameters<typeof aNode>[0]): Promise<string> {
  return (await surroundingsOf(pod, aContainer('main'), loan, aNode(more))).hash;
}

test('what is said of the node is a part of what a container was made from, its addresses are not', async (t) => {
  const usual = await hash({});
  t.is(await hash({}), usual);
  t.not(await hash({ name: 'other' }), usual);
  t.not(await hash({ cpus: 77 }), usual);
  t.is(await hash({ hostIPs: ['192.0.2.77'] }), usual);
});
