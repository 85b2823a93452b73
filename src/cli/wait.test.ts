import test from 'ava';
import { aShownPod } from '../testing/v1-pods.ts';
import { UsageError } from './usage-error.ts';
import { parseGoal } from './wait.ts';

const pod = aShownPod({
  status: {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: '' }],
  },
});

const cases: Record<string, boolean> = {
  'condition=Ready': false,
  'condition=Ready=False': true,
  'condition=ready=false': true,
  'condition=Other=False': false,
  'jsonpath={.status.phase}=Running': true,
  "jsonpath='{.status.phase}'=Running": true,
  'jsonpath={.status.phase}=Pending': false,
  'jsonpath={.status.phase}': true,
  'jsonpath={.status.reason}': false,
  'jsonpath={.status.conditions[?(@.type=="Ready")].status}=False': true,
};

for (const [text, holds] of Object.entries(cases)) {
  test(`--for=${text} ${holds ? 'holds' : 'does not hold'}`, (t) => {
    const goal = parseGoal(text);
    t.is(goal.kind === 'state' && goal.holds(pod), holds);
  });
}

for (const text of ['Ready', 'condition=', 'jsonpath={range}', 'condition']) {
  test(`--for=${text} is refused`, (t) => {
    t.throws(() => parseGoal(text), { instanceOf: UsageError });
  });
}
