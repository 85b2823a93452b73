import test from 'ava';
import type { Memory } from '../pod/memory.ts';
import { blankMemory } from '../pod/memory.ts';
import { Turns } from './turns.ts';

const signal = new AbortController().signal;
const trigger = { kind: 'request', by: 'root', at: 0 } as const;
const restarting: Memory = { ...blankMemory, restart: { trigger, recordedAt: 0 } };
const ending: Memory = {
  ...blankMemory,
  ending: { cause: 'deleted', at: 0, graceSeconds: 30, force: false, deletedAt: 0 },
};
const remove = { kind: 'remove-container', id: 'c1', name: 'main' } as const;

test('a removal that waits for the restart of another pod goes on when its own pod ends', async (t) => {
  const turns = new Turns();
  turns.note({ uid: 'other', memory: restarting });
  let isRemoved = false;
  const removal = turns.take(
    remove,
    { uid: 'own', memory: blankMemory, now: 0 },
    () => Promise.resolve((isRemoved = true)),
    signal,
  );
  await settle();
  t.false(isRemoved);
  turns.note({ uid: 'own', memory: ending });
  await settle();
  t.true(isRemoved);
  await removal;
});

test('what a restart that had to wait makes ready goes on when it starts, and is not waited for', async (t) => {
  const turns = new Turns();
  turns.note({ uid: 'other', memory: restarting });
  const held = { trigger, recordedAt: 0, startNotBefore: 5 };
  const waiting: Memory = { ...blankMemory, restart: held };
  let isRemoved = false;
  const removal = turns.take(
    remove,
    { uid: 'own', memory: waiting, now: 0 },
    () => Promise.resolve((isRemoved = true)),
    signal,
  );
  await settle();
  t.false(isRemoved);
  turns.note({ uid: 'own', memory: { ...waiting, restart: { ...held, startingAt: 5 } } });
  await settle();
  t.true(isRemoved);
  await removal;
});

/** All that is due now has happened. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
