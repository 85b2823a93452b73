import test from 'ava';
import { readEvent, type TaskEvent } from './task-record.ts';

const at = Date.parse('2026-01-02T03:04:05Z') + 250.5;
const cases: Record<string, { line: string; is: TaskEvent | undefined }> = {
  'a start': {
    line: '2026-01-02 03:04:05.2505 +0000 UTC k8s.io /tasks/start {"container_id":"c1","pid":7}',
    is: { kind: 'start', containerId: 'c1', at },
  },
  'an exit with a code': {
    line: '2026-01-02 03:04:05.2505 +0000 UTC k8s.io /tasks/exit {"container_id":"c1","id":"c1","pid":7,"exit_status":88}',
    is: { kind: 'exit', containerId: 'c1', at, exitCode: 88 },
  },
  'an exit with 0 is written without a code': {
    line: '2026-01-02 03:04:05.2505 +0000 UTC k8s.io /tasks/exit {"container_id":"c1","id":"c1"}',
    is: { kind: 'exit', containerId: 'c1', at, exitCode: 0 },
  },
  "an exec's exit is not the container's": {
    line: '2026-01-02 03:04:05.2505 +0000 UTC k8s.io /tasks/exit {"container_id":"c1","id":"e1"}',
    is: undefined,
  },
  'other events are not recorded': {
    line: '2026-01-02 03:04:05 +0000 UTC k8s.io /tasks/delete {"container_id":"c1"}',
    is: undefined,
  },
};

for (const [title, { line, is }] of Object.entries(cases)) {
  test(title, (t) => t.deepEqual(readEvent(line), is));
}
