import test from 'ava';
import { podColumns } from '../api/table.ts';
import { aShownPod, running, status } from '../testing/v1-pods.ts';
import { TextTable } from './text-table.ts';
import { visible } from './output.ts';

const now = Date.parse('2026-01-01T00:00:30Z');

test('columns stand three spaces apart, below capitals', (t) => {
  const table = new TextTable(podColumns, { wide: false });
  const pods = [aShownPod(), aShownPod({ name: 'a-longer-name' })];
  t.deepEqual(table.lines(pods, now, { header: true }), [
    'NAME            READY   STATUS    RESTARTS   AGE',
    'web             1/1     Running   0          30s',
    'a-longer-name   1/1     Running   0          30s',
  ]);
});

test('later rows line up with the earlier ones', (t) => {
  const table = new TextTable(podColumns, { wide: false });
  table.lines([aShownPod({ name: 'a-longer-name' })], now, { header: true });
  t.deepEqual(table.lines([aShownPod()], now, { header: false }), [
    'web             1/1     Running   0          30s',
  ]);
});

test('a wide table has the columns of lower priority', (t) => {
  const table = new TextTable(podColumns, { wide: true });
  const pod = aShownPod({ main: [status('main', running())], status: { podIP: '10.0.0.7' } });
  t.regex(table.lines([pod], now, { header: false })[0] ?? '', /30s +10\.0\.0\.7 +test-node +0$/);
});

test('no container can move the cursor', (t) => {
  t.is(visible('a\u001b[2Jb\rc\u009bd\ne\tf'), 'a\\x1b[2Jb\\x0dc\\x9bd\\ne\\tf');
});
