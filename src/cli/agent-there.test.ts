import test from 'ava';
import { Command } from 'commander';
import { typedNodeOptions } from './agent-there.ts';
import { withEqualsSigns, withOpposites } from './equals-sign.ts';
import { withGlobalOptions, withNodeOptions } from './options.ts';

const cases: Record<string, readonly string[]> = {
  'run -f pod.yaml': [],
  '--socket /tmp/a.sock run -n lab -f pod.yaml -o json --replace': [],
  'run --containerd /tmp/c.sock -f pod.yaml --data-dir=/tmp/lab': ['--containerd', '--data-dir'],
  'run -f pod.yaml --no-standbys': ['--no-standbys'],
  'run -f pod.yaml --in-place-backoff 0': ['--in-place-backoff'],
};

for (const [typed, options] of Object.entries(cases)) {
  test.serial(`node options of "${typed}"`, (t) => {
    const program = withEqualsSigns(withGlobalOptions(new Command('reprise')));
    const run = new Command('run').option('-f <file>').option('-o <format>').option('--replace');
    const command = withEqualsSigns(withOpposites(withNodeOptions(run)));
    process.env['CONTAINERD_ADDRESS'] = '/tmp/other.sock';
    program.addCommand(command.action(() => undefined)).parse(typed.split(' '), { from: 'user' });
    delete process.env['CONTAINERD_ADDRESS'];
    t.deepEqual(typedNodeOptions(command).toSorted(), options.toSorted());
  });
}
