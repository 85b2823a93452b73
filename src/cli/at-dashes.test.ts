import test from 'ava';
import { splitAtDashes } from './at-dashes.ts';

const typed: Readonly<Record<string, readonly [readonly string[], readonly string[]]>> = {
  'debug web --image i': [['web'], []],
  'debug web --image i -- ps': [['web'], ['ps']],
  'debug pod web --image i -- sh -c x -- y': [
    ['pod', 'web'],
    ['sh', '-c', 'x', '--', 'y'],
  ],
  'debug --image i -- ps': [[], ['ps']],
};

for (const [line, [pod, command]] of Object.entries(typed)) {
  test(`${line}: ${command.length > 0 ? `the command is ${command.join(' ')}` : 'no command'}`, (t) => {
    const args = [...pod, ...command];
    t.deepEqual(splitAtDashes(args, ['node', 'reprise', ...line.split(' ')]), { pod, command });
  });
}
