// What scripts/provision makes of a configuration that is somebody else's; nothing is installed.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { execa } from 'execa';

const script = path.join(import.meta.dirname, 'provision');

/** Runs some of its functions. It would run as a whole if it were what bash runs. */
async function run(commands: string) {
  const lines = `source "$1"\n${commands}`;
  return await execa('bash', ['-c', lines, 'test', script], { reject: false, all: true });
}

function file(t: ExecutionContext, content: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-provision-'));
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const name = path.join(folder, 'config.toml');
  fs.writeFileSync(name, content);
  return name;
}

for (const runtime of ['runc', 'crun']) {
  test(`who has a configuration of his own is told what to set in it for ${runtime}`, async (t) => {
    const { exitCode, stdout, stderr } = await run(`
      is_ours_to_write() { false; }
      runtime=${runtime}
      configure_containerd
      echo Done
      tell_what_is_left`);
    t.is(exitCode, 0, stderr);
    t.is(stdout, '==> Leaving /etc/containerd/config.toml as it is\nDone');
    t.regex(stderr, /^warning: .*--runtime/);
    t.regex(stderr, /at: \/etc\/containerd\/config\.toml/);
    t.true(stderr.includes(`default_runtime_name = "${runtime}"`));
    t.true(stderr.includes('SystemdCgroup = true'));
    t.true(stderr.includes('sandbox_image = "localhost/reprise/pause:1"'));
  });
}

test('where the configuration is the one of provision, nothing is left to tell', async (t) => {
  const { exitCode, all } = await run('tell_what_is_left');
  t.is(exitCode, 0);
  t.is(all, '');
});

test('a configuration that somebody has written, or made his own, is not replaced', async (t) => {
  const isOurs = async (name: string): Promise<boolean> =>
    (await run(`is_ours_to_write ${name}`)).exitCode === 0;
  const { stdout: marker } = await run('echo "$marker"');
  t.true(await isOurs('/nowhere/config.toml'));
  t.true(await isOurs(file(t, `${marker}\nversion = 2\n`)));
  t.false(await isOurs(file(t, 'version = 2\n')));
});
