// The plan of a rehearsal: random, but never blind to an init container.
import fc from 'fast-check';
import test from 'ava';
import { planMoments } from './moments.ts';
import type { Moment } from './moments.ts';

const plans = fc.record({
  restarts: fc.integer({ min: 1, max: 60 }),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  inits: fc.integer({ min: 0, max: 5 }).map((count) => Array.from({ length: count }, nameOf)),
});

function nameOf(_: unknown, index: number): string {
  return `init-${index}`;
}

function containersIn(moments: readonly Moment[]): string[] {
  return moments.flatMap((moment) => (moment.kind === 'init' ? moment.container : []));
}

test('a seed tells it all, and another seed another story', (t) => {
  const options = { restarts: 20, seed: 42, inits: ['a', 'b'] };
  t.deepEqual(planMoments(options), planMoments(options));
  t.notDeepEqual(planMoments(options), planMoments({ ...options, seed: 43 }));
});

test('there is a moment for each restart, at a fraction that is one', (t) => {
  fc.assert(
    fc.property(plans, (plan) => {
      const moments = planMoments(plan);
      t.is(moments.length, plan.restarts);
      t.true(moments.every(({ fraction }) => fraction >= 0 && fraction < 1));
    }),
  );
  t.pass();
});

test('the first restart, and the one after each that cuts another short, is left to a running pod', (t) => {
  fc.assert(
    fc.property(plans, (plan) => {
      const moments = planMoments(plan);
      return moments.every(
        ({ kind }, index) => kind === 'running' || moments[index - 1]?.kind === 'running',
      );
    }),
  );
  t.pass();
});

test('every init container is hit, if there are restarts enough', (t) => {
  fc.assert(
    fc.property(plans, (plan) => {
      const hit = new Set(containersIn(planMoments(plan)));
      return hit.size === Math.min(plan.inits.length, Math.floor(plan.restarts / 2));
    }),
  );
  t.pass();
});

test('many restarts spread: over the init containers, young pods and settled ones', (t) => {
  const moments = planMoments({ restarts: 1000, seed: 1, inits: ['a', 'b'] });
  const share = (is: (moment: Moment) => boolean) => moments.filter(is).length / moments.length;
  t.true(share(({ kind }) => kind === 'running') > 0.5);
  t.true(share(({ kind }) => kind === 'just-up') > 0.1);
  for (const name of ['a', 'b']) {
    t.true(share((moment) => moment.kind === 'init' && moment.container === name) > 0.1);
  }
  const fractions = moments.map(({ fraction }) => fraction);
  const mean = fractions.reduce((sum, one) => sum + one, 0) / fractions.length;
  t.true(mean > 0.45 && mean < 0.55, String(mean));
});
