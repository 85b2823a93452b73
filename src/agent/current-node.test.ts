import test from 'ava';
import { aNode } from '../testing/node.ts';
import { CurrentNode, watchAddresses } from './current-node.ts';

const cases: Record<string, readonly [found: readonly string[], isNews: boolean]> = {
  'the same addresses are no news': [['192.0.2.1'], false],
  'another address is': [['198.51.100.1'], true],
  'one more is': [['192.0.2.1', '2001:db8::1'], true],
  'with none it is between two networks, and known as before': [[], false],
};
for (const [title, [found, isNews]] of Object.entries(cases)) {
  test(title, (t) => {
    const node = new CurrentNode(aNode({ hostIPs: ['192.0.2.1'] }), (known) => {
      t.deepEqual(known, ['192.0.2.1']);
      return found;
    });
    const before = node.facts;
    t.is(node.lookAgain(), isNews);
    t.deepEqual(node.facts, isNews ? { ...before, hostIPs: found } : before);
  });
}

test('a watch tells of each change and each failure, until it ends', async (t) => {
  const end = new AbortController();
  const looks = [false, true, new Error('too many open files'), false, true];
  const told: string[] = [];
  const lookAgain = () => {
    const found = looks.shift();
    if (looks.length === 0) end.abort();
    if (found instanceof Error) throw found;
    return found === true;
  };
  const onFailure = (error: unknown) => told.push(String(error));
  const watch = { lookAgain, onChange: () => told.push('changed'), onFailure, everyMs: 1 };
  await watchAddresses(watch, end.signal);
  t.deepEqual(told, ['changed', 'Error: too many open files', 'changed']);
});
