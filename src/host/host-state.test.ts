import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { hostStateOf } from './host-state.ts';

interface Place {
  readonly dir: string;
  readonly at: (...names: readonly string[]) => string;
}

/** A folder with a link `current` to the folder `41`, a profile and one device. */
async function aPlace(t: { teardown: (end: () => void) => void }): Promise<Place> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'reprise-host-state-'));
  t.teardown(() => fs.rmSync(dir, { recursive: true }));
  const at = (...names: readonly string[]): string => path.join(dir, ...names);
  for (const folder of ['41', '42', 'dev/dri', 'dev/pts'])
    fs.mkdirSync(at(folder), { recursive: true });
  fs.symlinkSync('41', at('current'));
  fs.writeFileSync(at('profile.json'), '{}');
  await execa('mknod', [at('dev/null'), 'c', '1', '3']);
  return { dir, at };
}

async function stateIn({ at }: Place): Promise<Awaited<ReturnType<typeof hostStateOf>>> {
  const paths = [at('current'), at('41')];
  return await hostStateOf({ paths, profile: at('profile.json'), hasAllDevices: true }, at('dev'));
}

for (const [what, change, isOther] of [
  ['nothing', () => undefined, false],
  ['a link leads elsewhere', ({ at }) => relink(at('current'), '42'), true],
  ['something new in a folder', ({ at }) => fs.writeFileSync(at('41', 'new'), ''), false],
  ['another profile', ({ at }) => fs.writeFileSync(at('profile.json'), '{"a":1}'), true],
  ['no profile any more', ({ at }) => fs.rmSync(at('profile.json')), true],
  ['a new device', ({ at }) => execa('mknod', [at('dev/dri/card0'), 'c', '1', '3']), true],
  ['a new terminal', ({ at }) => execa('mknod', [at('dev/pts/0'), 'c', '1', '3']), false],
  ['a new file among the devices', ({ at }) => fs.writeFileSync(at('dev', 'log'), ''), false],
] as const satisfies readonly (readonly [string, (place: Place) => unknown, boolean])[]) {
  test(`what a container finds on the machine is ${isOther ? 'not ' : ''}the same after: ${what}`, async (t) => {
    const place = await aPlace(t);
    const before = await stateIn(place);
    t.deepEqual(before.missing, []);
    await change(place);
    t.is((await stateIn(place)).state !== before.state, isOther);
  });
}

test('what is missing will be where it is made, and is told until then', async (t) => {
  const { at } = await aPlace(t);
  const parts = { paths: [at('current', 'deep', 'er')], hasAllDevices: false };
  const before = await hostStateOf(parts);
  t.deepEqual(before.missing, parts.paths);
  fs.mkdirSync(at('41', 'deep', 'er'), { recursive: true });
  t.deepEqual(await hostStateOf(parts), { state: before.state, missing: [] });
});

function relink(link: string, target: string): void {
  fs.unlinkSync(link);
  fs.symlinkSync(target, link);
}
