// How scripts/provision finds Node.js and installs reprise, with an npm that only says what it is asked for.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { execa } from 'execa';

const script = path.join(import.meta.dirname, 'provision');

/** A checkout with nothing but what npm looks at. */
function checkout(t: ExecutionContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-provision-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  fs.writeFileSync(path.join(folder, 'package-lock.json'), '{"version":1}');
  fs.mkdirSync(path.join(folder, 'node_modules', 'execa'), { recursive: true });
  return folder;
}

/** Runs some of its functions for a checkout; with --help it does nothing by itself. */
async function run(root: string, commands: string, PATH = process.env['PATH']) {
  const lines = `
    source "$1" --help >/dev/null
    root=$2 log=$2/log
    npm() {
      echo "$*" >>"$root/asked"
      case $1 in
        pack) touch "$4/reprise-1.2.3.tgz" && stat -c '%a %U' "$4" ;;
        install) [[ ! -e \${!#} ]] || echo installed ;;
      esac
    }
    ${commands}`;
  const result = await execa('bash', ['-c', lines, 'test', script, root], { env: { PATH } });
  const text = (name: string): string => {
    const file = path.join(root, name);
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  };
  return { stdout: result.stdout, asked: text('asked').trim().split('\n'), log: text('log') };
}

test('only a Node.js that the service finds counts', async (t) => {
  const root = checkout(t);
  for (const name of ['node', 'npm']) {
    fs.writeFileSync(path.join(root, name), '#!/bin/sh\necho v99.0.0\n', { mode: 0o755 });
  }
  const { stdout } = await run(
    root,
    'unset -f npm; type -P node npm; node --version 2>&1; echo "$PATH"',
    `${root}:${process.env['PATH']}`,
  );
  t.notRegex(stdout, /v99/);
  const unit = fs.readFileSync(path.join(script, '../../packaging/reprise.service'), 'utf8');
  t.true(unit.includes(`\nEnvironment=PATH=${stdout.split('\n').at(-1)}\n`));
});

test('the packages of the checkout are installed anew when the lock file changes', async (t) => {
  const root = checkout(t);
  const install = 'package=/nowhere/reprise.tgz; install_reprise';
  const inCheckout = async (): Promise<number> =>
    (await run(root, install)).asked.filter((line) => line.startsWith(`ci --prefix ${root} `))
      .length;
  t.is(await inCheckout(), 1, 'whatever they are made from');
  t.is(await inCheckout(), 1);
  fs.writeFileSync(path.join(root, 'package-lock.json'), '{"version":2}');
  t.is(await inCheckout(), 2);
  t.is(await inCheckout(), 2);
});

test('the package is made where nobody else can put one, and not left behind', async (t) => {
  const root = checkout(t);
  const { asked, log } = await run(root, 'install_reprise');
  const folder =
    asked
      .find((line) => line.startsWith('pack '))
      ?.split(' ')
      .at(-1) ?? '';
  t.regex(log, /^700 /m);
  t.true(asked.at(-1)?.endsWith(` ${folder}/reprise-1.2.3.tgz`));
  t.regex(log, /^installed$/m);
  t.false(fs.existsSync(folder));
});
