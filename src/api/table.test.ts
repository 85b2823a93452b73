import test from 'ava';
import { aShownPod, running, status, terminated } from '../testing/v1-pods.ts';
import { podColumns, tableOf } from './table.ts';

const now = Date.parse('2026-01-01T00:01:05Z');

test('a Table has kubectl’s columns and the metadata of each pod', (t) => {
  const pod = aShownPod({
    main: [status('main', running(), { restartCount: 2, lastState: terminated(1) })],
    status: { podIP: '10.0.0.7' },
    metadata: { annotations: { 'reprise.dev/generation': '2' } },
  });
  const table = tableOf(podColumns, [pod], '7', now, 'Metadata');
  t.deepEqual(
    table.columnDefinitions.map(({ name, priority }) => `${name} ${priority}`),
    ['Name 0', 'Ready 0', 'Status 0', 'Restarts 0', 'Age 0', 'IP 1', 'Node 1', 'Generation 1'],
  );
  t.deepEqual(table.rows[0]?.cells, [
    'web',
    '1/1',
    'Running',
    '2 (60s ago)',
    '65s',
    '10.0.0.7',
    'test-node',
    '2',
  ]);
  t.like(table.rows[0]?.object, {
    kind: 'PartialObjectMetadata',
    metadata: { name: 'web', namespace: 'default' },
  });
  t.is(table.metadata.resourceVersion, '7');
  t.notThrows(() => JSON.stringify(table));
});
