// The unit of systemd, as far as no machine is needed to see it.
import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';

const file = path.join(import.meta.dirname, '../packaging/reprise.service');

/** What a section says, in its order. */
function section(name: string): readonly string[] {
  const [, after = ''] = fs.readFileSync(file, 'utf8').split(`\n[${name}]\n`);
  const [lines = ''] = after.split('\n[');
  return lines.split('\n').filter((line) => /^\w+=/.test(line));
}

test('systemd starts the agent again for as long as there is no containerd', (t) => {
  t.true(section('Unit').includes('StartLimitIntervalSec=0'));
  t.true(section('Service').includes('Restart=on-failure'));
  // Exit code 3 says that containerd cannot be reached.
  t.deepEqual(
    section('Service').filter((line) => line.startsWith('RestartPreventExitStatus=')),
    ['RestartPreventExitStatus=2'],
  );
});
