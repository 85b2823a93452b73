import { Command } from 'commander';
import test from 'ava';
import { withGlobalOptions } from './options.ts';
import { typedCommand } from './typed-command.ts';

const { options } = withGlobalOptions(new Command()).version('1');

const cases: Record<string, string | undefined> = {
  'get pods': 'get',
  'get run': 'get',
  '-n bench get pods': 'get',
  '--namespace run get pods': 'get',
  '--socket agent -n run delete pod web': 'delete',
  '-nrun --socket=agent get pods': 'get',
  '--version get': 'get',
  'aply run': 'aply',
  '--help': undefined,
  '-n get': undefined,
};

for (const [typed, command] of Object.entries(cases)) {
  test(`"${typed}" is ${command ?? 'no command'}`, (t) => {
    t.is(typedCommand(typed.split(' '), options), command);
  });
}

test('nothing is no command', (t) => t.is(typedCommand([], options), undefined));
