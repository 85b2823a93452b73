import test from 'ava';
import { asText, parseJsonPath } from './json-path.ts';
import { UsageError } from './usage-error.ts';

const pod = {
  metadata: { name: 'web', annotations: { 'reprise.dev/generation': '2' } },
  status: {
    phase: 'Running',
    containerStatuses: [
      { name: 'main', restartCount: 1, state: { running: {} } },
      { name: 'side', restartCount: 0 },
    ],
  },
};

const cases: Record<string, string> = {
  '{.status.phase}': 'Running',
  '.status.phase': 'Running',
  '{$.status.phase}': 'Running',
  "{.status['phase']}": 'Running',
  '{.status.containerStatuses[0].restartCount}': '1',
  '{.status.containerStatuses[-1].name}': 'side',
  '{.status.containerStatuses[*].name}': 'main side',
  '{.status.containerStatuses[?(@.name=="side")].restartCount}': '0',
  '{.status.containerStatuses[?(@.restartCount==1)].name}': 'main',
  "{.metadata.annotations['reprise.dev/generation']}": '2',
  '{.metadata.annotations.reprise\\.dev/generation}': '2',
  '{.status.containerStatuses[0].state}': '{"running":{}}',
  '{.status.containerStatuses[5].name}': '',
  '{.status.nothing.there}': '',
  '{.status.toString}': '',
  '{.status.phase.length}': '',
};

for (const [path, found] of Object.entries(cases)) {
  test(`${path} finds "${found}"`, (t) => {
    t.is(parseJsonPath(path)(pod).map(asText).join(' '), found);
  });
}

for (const path of [
  '{status}',
  '{.status[}',
  '{.a[0:2]}',
  '{..name}',
  '{range .items[*]}',
  '{.}',
]) {
  test(`${path} is refused in words`, (t) => {
    t.throws(() => parseJsonPath(path), { instanceOf: UsageError, message: /is not understood/ });
  });
}
