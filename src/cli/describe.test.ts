import test from 'ava';
import type { RestartRecord } from '../pod/memory.ts';
import { aShownPod, running, status, terminated } from '../testing/v1-pods.ts';
import { describePod } from './describe.ts';

test('a description tells how every container is, and how it was', (t) => {
  const pod = aShownPod({
    init: [status('watcher', running(), { restartCount: 1, lastState: terminated(88) })],
    sidecars: ['watcher'],
    status: {
      podIP: '10.0.0.7',
      podIPs: [{ ip: '10.0.0.7' }],
      conditions: [
        {
          type: 'Ready',
          status: 'False',
          reason: 'ContainersNotReady',
          lastTransitionTime: '2026-01-01T00:00:10Z',
        },
      ],
    },
    metadata: { annotations: { 'reprise.dev/generation': '1' } },
  });
  const text = describePod(pod, [], [], Date.parse('2026-01-01T00:00:30Z')).join('\n');
  for (const line of [
    /^Name: +web$/m,
    /^In-place Restarts: +1$/m,
    /^IPs: +10\.0\.0\.7$/m,
    /^Init Containers:\n {2}watcher:$/m,
    /^ {4}Last State: +Terminated$/m,
    /^ {6}Exit Code: +88$/m,
    /^ {4}Restart Count: +1$/m,
    /^ {2}Ready +False +for 20s +ContainersNotReady$/m,
    /^Events: <none>$/m,
  ]) {
    t.regex(text, line);
  }
});

test('a description cannot be used to write to the terminal', (t) => {
  const pod = aShownPod({ status: { message: 'a\u001b[31mb' } });
  t.regex(describePod(pod, [], [], 0).join('\n'), /^Message: +a\\x1b\[31mb$/m);
});

const began = Date.parse('2026-01-01T00:00:10Z');
const record: RestartRecord = {
  generation: 1,
  trigger: { kind: 'exit', container: 'watcher', exitCode: 88, ruleIndex: 0, exitedAt: began },
  recordedAt: began + 1,
  containers: [],
};

for (const [what, restarts, line] of [
  ['that is complete', [{ ...record, completedAt: began + 312.4 }], 'took 312 ms'],
  ['that was cut short', [{ ...record, cutShortAt: began + 312 }], 'did not complete'],
  ['under way', [{ ...record, completedAt: began + 312 }, record], 'under way for 20000 ms'],
] as const satisfies readonly (readonly [string, readonly RestartRecord[], string])[]) {
  test(`a description tells of the last in-place restart: one ${what}`, (t) => {
    const lines = describePod(aShownPod({}), [], restarts, began + 20_000);
    const told = lines
      .find((one) => one.startsWith('Last In-place Restart:'))
      ?.slice(22)
      .trim();
    t.is(told, `2026-01-01T00:00:10Z, watcher exited with code 88, ${line}`);
  });
}

test('a description of a pod that was never restarted in place tells nothing of that', (t) => {
  t.false(describePod(aShownPod({}), [], [], 0).join('\n').includes('Last In-place Restart'));
});
