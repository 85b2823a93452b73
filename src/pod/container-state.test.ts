import test from 'ava';
import { seconds } from './container-state.ts';

const times: Record<string, readonly [ms: number, text: string]> = {
  'has whole seconds': [1_767_225_599_999, '2025-12-31T23:59:59Z'],
  'has four digits for its year': [253_402_300_799_999, '9999-12-31T23:59:59Z'],
  'is not beyond them': [Date.now() + Number.MAX_SAFE_INTEGER * 1000, '9999-12-31T23:59:59Z'],
  'is not before the first': [-1e15, '0001-01-01T00:00:00Z'],
  'is the first where there is none': [NaN, '0001-01-01T00:00:00Z'],
};
for (const [title, [ms, text]] of Object.entries(times)) {
  test(`a time as Kubernetes writes it ${title}`, (t) => t.is(seconds(ms), text));
}
