import test from 'ava';
import { steadyClock } from './clock.ts';

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.UTC(2026, 0, 1);

/** A clock on a machine whose own clocks are set by hand. */
function onMachine() {
  let [wall, monotonic] = [start, 5];
  const clock = steadyClock(
    () => wall,
    () => monotonic,
  );
  return {
    ...clock,
    pass: (ms: number) => {
      wall += ms;
      monotonic += ms;
    },
    /** Somebody sets the wall clock. */
    set: (byMs: number) => {
      wall += byMs;
    },
    wall: () => wall,
  };
}

test('a clock that nobody sets is the wall clock', (t) => {
  const { now, fromWall, pass } = onMachine();
  t.is(now(), start);
  pass(1_234.5);
  t.is(now(), start + 1_234.5);
  t.is(fromWall(start + 1_000), start + 1_000);
});

const steps: Record<string, readonly [byMs: number, afterTenSeconds: number]> = {
  'set back by two hours': [-2 * hour, 9_000],
  'set ahead by almost a minute': [59_000, 11_000],
  'set back by a little': [-500, 9_500],
  'set ahead by a little': [500, 10_500],
  'set back by a year': [-365 * day, 9_000],
};
for (const [title, [byMs, afterTenSeconds]] of Object.entries(steps)) {
  test(`waits take as long as ever, give or take a tenth, on a machine whose clock is ${title}`, (t) => {
    const { now, pass, set } = onMachine();
    set(byMs);
    t.is(now(), start);
    pass(10_000);
    t.is(now(), start + afterTenSeconds);
  });
}

test('it is right again in time', (t) => {
  const { now, pass, set, wall } = onMachine();
  set(-hour);
  let before = now();
  for (let minutes = 0; minutes < 10 * 60; minutes++) {
    pass(60_000);
    const after = now();
    t.true(after > before);
    before = after;
  }
  t.true(Math.abs(before - wall()) < 0.01);
});

const late = { 'was suspended': 8 * hour, 'had never had its clock set': 56 * 365 * day };
for (const [title, byMs] of Object.entries(late)) {
  test(`it is right at once on a machine that ${title}`, (t) => {
    const { now, pass, set, wall } = onMachine();
    set(byMs);
    pass(1_000);
    t.is(now(), wall());
  });
}

for (const byMs of [-2 * hour, 2 * hour]) {
  test(`what happens after the clock was set by ${byMs / hour} h happens now`, (t) => {
    const { now, fromWall, pass, set, wall } = onMachine();
    set(byMs);
    pass(10_000);
    t.is(fromWall(wall()), now());
    t.is(fromWall(wall() - 4_000), now() - 4_000);
  });
}

test('nothing that was seen lies ahead', (t) => {
  const { now, fromWall, set, wall } = onMachine();
  const seen = wall();
  set(-2 * hour);
  t.is(fromWall(seen), now());
});
