import anyTest from 'ava';
import { catchInterrupts } from './interrupt.ts';
import type { Interrupt } from './interrupt.ts';

/** The signals are those of the whole process. */
const test = anyTest.serial;

interface Case {
  readonly isMeantToStay?: boolean;
  readonly come: readonly Interrupt[];
  readonly heard: readonly string[];
}

const cases: Record<string, Case> = {
  'the second one insists': { come: ['SIGINT', 'SIGTERM'], heard: ['SIGINT 1', 'SIGTERM 2'] },
  'a lost terminal asks for the end': { come: ['SIGHUP'], heard: ['SIGHUP 1'] },
  'it never insists, however often it is told': {
    come: ['SIGHUP', 'SIGHUP', 'SIGINT', 'SIGHUP'],
    heard: ['SIGHUP 1', 'SIGINT 2'],
  },
  'nor does it after Ctrl-C': { come: ['SIGINT', 'SIGHUP'], heard: ['SIGINT 1'] },
  'without a terminal nothing is lost': {
    isMeantToStay: true,
    come: ['SIGHUP', 'SIGTERM'],
    heard: ['SIGTERM 1'],
  },
};

for (const [title, { isMeantToStay = false, come, heard }] of Object.entries(cases)) {
  test(title, (t) => {
    using interrupts = catchInterrupts(isMeantToStay);
    const told: string[] = [];
    interrupts.onEach((interrupt, count) => told.push(`${interrupt} ${count}`));
    for (const signal of come) process.emit(signal, signal);
    t.deepEqual(told, heard);
    t.is(interrupts.first(), heard[0]?.split(' ')[0] as Interrupt);
  });
}
