import test from 'ava';
import { CommanderError } from 'commander';
import { booleanOption, CommandWithBooleans } from './boolean-option.ts';

function parsed(typed: string): { wait: boolean; names: readonly string[] } {
  const command = new CommandWithBooleans('delete')
    .argument('[names...]')
    .addOption(booleanOption('--wait', 'wait until it is gone').default(true))
    .option('--no-wait', 'the same as --wait=false')
    .option('--force', 'at once')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  command.parse(typed.split(' '), { from: 'user' });
  return { wait: command.opts<{ wait: boolean }>().wait, names: command.args };
}

const cases: Record<string, { wait: boolean; names: readonly string[] }> = {
  'pod web': { wait: true, names: ['pod', 'web'] },
  '--wait pod web': { wait: true, names: ['pod', 'web'] },
  'pod web --wait': { wait: true, names: ['pod', 'web'] },
  '--wait=true pod web': { wait: true, names: ['pod', 'web'] },
  '--wait=false pod web': { wait: false, names: ['pod', 'web'] },
  '--no-wait pod web': { wait: false, names: ['pod', 'web'] },
  '--wait false web': { wait: true, names: ['false', 'web'] },
  '--force --wait=false -- --wait': { wait: false, names: ['--wait'] },
};

for (const [typed, means] of Object.entries(cases)) {
  test(`"${typed}" is ${means.names.join(' ')}, wait: ${means.wait}`, (t) => {
    t.deepEqual(parsed(typed), means);
  });
}

for (const typed of ['--wait=maybe pod web', '--wait= pod web', '--force=true pod web']) {
  test(`"${typed}" is refused`, (t) => {
    t.throws(() => parsed(typed), { instanceOf: CommanderError });
  });
}
