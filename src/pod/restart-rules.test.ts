// The whole table of what follows an exit: kind × rules × policies × code.
import test from 'ava';
import { aContainer, aPod, aSidecar } from '../testing/builders.ts';
import type { Container, ContainerKind, RestartPolicy, RestartRule } from './pod.ts';
import { ENDED_UNSEEN, afterExit, hasFailed, hasRestartAllRule } from './restart-rules.ts';

type Rules = Container['restartPolicyRules'];

const policies = ['Always', 'OnFailure', 'Never'] as const;

function rule(
  action: RestartRule['action'],
  operator: 'In' | 'NotIn',
  ...values: number[]
): RestartRule {
  return { action, exitCodes: { operator, values } };
}

/** What follows, in words, when a container of that kind in such a pod ends with `code`. */
function after(
  kind: ContainerKind,
  code: number,
  more: { rules?: Rules; own?: RestartPolicy; pod?: RestartPolicy; reason?: string } = {},
): string {
  const { rules = [], own, pod: podPolicy = 'Never', reason = 'Error' } = more;
  const make = kind === 'sidecar' ? aSidecar : aContainer;
  const container = make('it', {
    restartPolicyRules: rules,
    ...(kind !== 'sidecar' && { restartPolicy: own }),
  });
  const pod =
    kind === 'app'
      ? aPod([], [container], { restartPolicy: podPolicy })
      : aPod([container], [aContainer('main')], { restartPolicy: podPolicy });
  const result = afterExit(pod, container, kind, { exitCode: code, reason });
  return result.kind === 'restart-all' ? `restart-all by ${result.ruleIndex}` : result.kind;
}

// The container's own policy counts before the pod's; rows are [own, pod, after 0, after a failure].
const withoutRule: readonly (readonly [
  RestartPolicy | undefined,
  RestartPolicy | undefined,
  string,
  string,
])[] = [
  ['Always', undefined, 'restart', 'restart'],
  ['OnFailure', undefined, 'leave', 'restart'],
  ['Never', undefined, 'leave', 'leave'],
  [undefined, 'Always', 'restart', 'restart'],
  [undefined, 'OnFailure', 'leave', 'restart'],
  [undefined, 'Never', 'leave', 'leave'],
];
for (const [own, podPolicy, onZero, onFailure] of withoutRule) {
  test(`without a rule: own policy ${own ?? '-'}, the pod's ${podPolicy ?? 'any'}`, (t) => {
    for (const pod of podPolicy === undefined ? policies : [podPolicy]) {
      t.is(after('app', 0, { own, pod }), onZero);
      for (const code of [1, 42, 128, 137, 143, 255])
        t.is(after('app', code, { own, pod }), onFailure);
      // An init container that has ended well is done, also under Always; a sidecar never is.
      if (own !== 'Always') {
        t.is(after('init', 0, { own, pod }), 'leave');
        for (const code of [1, 137, 255]) t.is(after('init', code, { own, pod }), onFailure);
      }
      for (const code of [0, 1, 137, 255]) t.is(after('sidecar', code, { pod }), 'restart');
    }
  });
}

for (const own of [...policies, undefined]) {
  for (const pod of policies) {
    test(`a rule that matches counts before any policy: own ${own ?? '-'}, the pod's ${pod}`, (t) => {
      for (const code of [0, 1, 128, 137, 143, 255]) {
        const restart = [rule('Restart', 'In', code)];
        const restartAll = [rule('RestartAllContainers', 'In', code)];
        t.is(after('app', code, { rules: restart, own, pod }), 'restart');
        t.is(after('app', code, { rules: restartAll, own, pod }), 'restart-all by 0');
        t.is(after('sidecar', code, { rules: restart, pod }), 'restart');
        t.is(after('sidecar', code, { rules: restartAll, pod }), 'restart-all by 0');
        if (own === 'Always') continue;
        // A Restart rule on 0 would keep an init container from ever being done.
        t.is(after('init', code, { rules: restart, own, pod }), code === 0 ? 'leave' : 'restart');
        t.is(after('init', code, { rules: restartAll, own, pod }), 'restart-all by 0');
      }
    });
  }
}

const matching: Record<string, { rules: Rules; code: number; is: string }> = {
  'In with the code among others': { rules: [rule('Restart', 'In', 1, 2)], code: 2, is: 'restart' },
  'In without the code': { rules: [rule('Restart', 'In', 1, 2)], code: 3, is: 'leave' },
  'an empty In never matches': { rules: [rule('Restart', 'In')], code: 1, is: 'leave' },
  'NotIn without the code': { rules: [rule('Restart', 'NotIn', 0)], code: 3, is: 'restart' },
  'NotIn with the code': { rules: [rule('Restart', 'NotIn', 0, 3)], code: 3, is: 'leave' },
  'an empty NotIn matches every code': {
    rules: [rule('Restart', 'NotIn')],
    code: 0,
    is: 'restart',
  },
  'the first rule that matches wins': {
    rules: [rule('Restart', 'In', 7), rule('RestartAllContainers', 'NotIn', 0)],
    code: 7,
    is: 'restart',
  },
  'rules that do not match are passed over, and the index counts them': {
    rules: [
      rule('Restart', 'In', 1),
      rule('Restart', 'NotIn', 7),
      rule('RestartAllContainers', 'In', 7),
    ],
    code: 7,
    is: 'restart-all by 2',
  },
};
for (const [title, { rules, code, is }] of Object.entries(matching)) {
  test(title, (t) => t.is(after('app', code, { rules }), is));
}

test('an init container that was out of memory has failed, whatever its code', (t) => {
  t.true(hasFailed('init', { exitCode: 0, reason: 'OOMKilled' }));
  t.false(hasFailed('app', { exitCode: 0, reason: 'OOMKilled' }));
  t.is(after('init', 0, { own: 'OnFailure', reason: 'OOMKilled' }), 'restart');
  t.is(after('init', 0, { own: 'Never', reason: 'OOMKilled' }), 'leave');
});

test('an end that nobody saw leads to a new start, whatever rules and policies say', (t) => {
  const rules = [rule('RestartAllContainers', 'NotIn', 0)];
  for (const kind of ['init', 'sidecar', 'app'] as const) {
    t.is(after(kind, 137, { rules, own: 'Never', reason: ENDED_UNSEEN }), 'restart');
  }
});

test('a pod has the condition if any container has such a rule', (t) => {
  const rules = { restartPolicyRules: [rule('RestartAllContainers', 'In', 88)] };
  t.true(hasRestartAllRule(aPod([aSidecar('side', rules)], [aContainer('main')])));
  t.true(hasRestartAllRule(aPod([aContainer('setup', rules)], [aContainer('main')])));
  t.true(hasRestartAllRule(aPod([], [aContainer('main', rules)])));
  const other = { restartPolicyRules: [rule('Restart', 'In', 88)] };
  t.false(hasRestartAllRule(aPod([aSidecar('side', other)], [aContainer('main')])));
});
