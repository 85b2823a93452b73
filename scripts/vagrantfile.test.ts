// What Vagrant itself makes of the Vagrantfile; no machine is made. `scripts/prepare --vagrant` brings
// Vagrant and its plugin for libvirt, whose settings are then checked by name.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import anyTest from 'ava';
import { execa, execaSync } from 'execa';

const root = fileURLToPath(new URL('..', import.meta.url));
const plugins = execaSync('vagrant', ['plugin', 'list'], { reject: false });
const hasVagrant = !plugins.failed;
const hasLibvirt = hasVagrant && plugins.stdout.includes('vagrant-libvirt');
const test = hasVagrant ? anyTest.serial : anyTest.skip;

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-vagrant-'));
anyTest.after.always(() => fs.rmSync(home, { recursive: true }));

async function validate(variables: Record<string, string>, ...args: string[]) {
  return await execa('vagrant', ['validate', ...args], {
    cwd: root,
    env: {
      VAGRANT_HOME: home,
      VAGRANT_DOTFILE_PATH: path.join(home, 'machines'),
      VAGRANT_CHECKPOINT_DISABLE: '1',
      ...variables,
    },
    reject: false,
    all: true,
  });
}

test('it is valid, whatever provider there is', async (t) => {
  const { all } = await validate({}, '--ignore-provider');
  t.regex(all, /validated successfully/);
});

(hasLibvirt ? test : anyTest.skip)(
  'it is valid for libvirt, also with a GPU handed through',
  async (t) => {
    const libvirt = { VAGRANT_DEFAULT_PROVIDER: 'libvirt' };
    const gpu = { REPRISE_GPU: '0000:65:00.0', REPRISE_NVIDIA: '1' };
    for (const variables of [libvirt, { ...libvirt, ...gpu }]) {
      const { all } = await validate(variables);
      t.regex(all, /validated successfully/);
    }
  },
);

test('what cannot be meant is refused', async (t) => {
  const wrong: Record<string, string>[] = [{ REPRISE_RUNTIME: 'gvisor' }, { REPRISE_GPU: '65:00' }];
  for (const variables of wrong) {
    const { exitCode, all } = await validate(variables, '--ignore-provider');
    t.not(exitCode, 0);
    t.regex(all, /must be/);
  }
});
