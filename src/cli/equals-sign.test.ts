import test from 'ava';
import { Command, CommanderError } from 'commander';
import { withEqualsSigns, withOpposites } from './equals-sign.ts';

interface Parsed {
  readonly follow?: boolean;
  readonly wait?: boolean;
  readonly headers?: boolean;
  readonly output?: string;
  readonly names: readonly string[];
}

function parsed(typed: string): Parsed {
  const command = new Command('get')
    .argument('[names...]')
    .option('-f, --follow', 'go on')
    .option('-p, --previous', 'of the run before')
    .option('--wait', 'wait until it is gone', true)
    .option('--no-wait', 'the same as --wait=false')
    .option('--no-headers', 'without the first line')
    .option('-o, --output <format>', 'how')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  withEqualsSigns(withOpposites(command)).parse(typed.split(' '), { from: 'user' });
  return { ...command.opts<Omit<Parsed, 'names'>>(), names: command.args };
}

const asIs = { wait: true, headers: true };

const cases: Record<string, Parsed> = {
  'pod web': { ...asIs, names: ['pod', 'web'] },
  '--wait pod web': { ...asIs, names: ['pod', 'web'] },
  '--wait=true pod web': { ...asIs, names: ['pod', 'web'] },
  '--wait=false pod web': { ...asIs, wait: false, names: ['pod', 'web'] },
  '--no-wait pod web': { ...asIs, wait: false, names: ['pod', 'web'] },
  '--no-wait=false pod web': { ...asIs, names: ['pod', 'web'] },
  '--wait false web': { ...asIs, names: ['false', 'web'] },
  'web --follow=true': { ...asIs, follow: true, names: ['web'] },
  'web -f=true': { ...asIs, follow: true, names: ['web'] },
  'web --follow --follow=false': { ...asIs, follow: false, names: ['web'] },
  'web --follow=false -f': { ...asIs, follow: true, names: ['web'] },
  'web --no-headers': { ...asIs, headers: false, names: ['web'] },
  'web --no-headers=true': { ...asIs, headers: false, names: ['web'] },
  'web --no-headers=false': { ...asIs, names: ['web'] },
  'web -o=json': { ...asIs, output: 'json', names: ['web'] },
  'web -o=jsonpath={.a[?(@.b=="c")]}': {
    ...asIs,
    output: 'jsonpath={.a[?(@.b=="c")]}',
    names: ['web'],
  },
  'web --output=json': { ...asIs, output: 'json', names: ['web'] },
  'web -- -o=json --follow=true': { ...asIs, names: ['web', '-o=json', '--follow=true'] },
};

for (const [typed, means] of Object.entries(cases)) {
  test(`"${typed}" is understood`, (t) => {
    t.deepEqual(parsed(typed), means);
  });
}

for (const typed of [
  'web --wait=maybe',
  'web --follow=',
  'web --no-headers=1',
  'web --what=true',
]) {
  test(`"${typed}" is refused`, (t) => {
    t.throws(() => parsed(typed), { instanceOf: CommanderError });
  });
}
