import test from 'ava';
import { isTidy } from './in-place-contender.ts';

/** E: exited, R: running, C: created. */
const stateOf = { E: 'CONTAINER_EXITED', R: 'CONTAINER_RUNNING', C: 'CONTAINER_CREATED' };

const cases: readonly (readonly [what: string, states: string, standbys: boolean, is: boolean])[] =
  [
    ['the run and its standbys', 'ERRCCC', true, true],
    ['the run before, not yet removed', 'ERRERR', true, false],
    ['the run before, whose end the runtime is kept from', 'RRRERR', true, false],
    ['standbys not all made', 'ERRCC', true, false],
    ['removed and made in part', 'EERRCC', true, false],
    ['without standbys, the run', 'ERR', false, true],
    ['without standbys, the run and the one before', 'ERRERR', false, false],
  ];
for (const [what, states, standbys, is] of cases) {
  test(`a pod is tidy after a restart or not: ${what}`, (t) => {
    const listed = states.split('').map((one) => ({ state: stateOf[one as keyof typeof stateOf] }));
    t.is(isTidy(listed, 3, { standbys }), is);
  });
}
