/**
 * The disk of a guest after scripts/provision, as a layer above the image: made once for a package,
 * so that a run that follows only has to boot it.
 */
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { exists } from './image.ts';
import type { Image } from './image.ts';
import { bootMachine } from './machine.ts';
import type { Boot } from './machine.ts';
import { PAYLOAD } from './payload.ts';
import type { Payload } from './payload.ts';
import { say, timed } from './progress.ts';

/** What to boot: a machine as users have it once they have run scripts/provision. */
export async function provisionedDisk(
  image: Image,
  payload: Payload,
  dir: string,
  signal: AbortSignal,
): Promise<Boot> {
  const recipe = (await readFile(join(dir, 'recipe'), 'utf8')).slice(0, 8);
  const disk = join(dir, `provisioned-${recipe}-${payload.key}.qcow2`);
  const boot: Boot = { image, disk, format: 'qcow2', keeps: false, payload: payload.disk, dir };
  if (await exists(disk)) {
    say('Provisioned by an earlier run');
    return boot;
  }
  // They are of packages that are no more.
  for (const old of (await readdir(dir)).filter((file) => file.startsWith('provisioned-'))) {
    await rm(join(dir, old));
  }
  const layer = join(dir, 'provisioning.qcow2');
  await rm(layer, { force: true });
  await execa('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', image.disk, '-F', 'raw', layer]);
  {
    await using machine = await bootMachine({ ...boot, disk: layer, keeps: true }, signal);
    // With nothing but what a user has: the package that npm made, and no network needed for it.
    await timed('Provisioning', () =>
      machine.ok(
        `${PAYLOAD}/checkout/scripts/provision --package ${PAYLOAD}/reprise.tgz ` +
          `--node ${PAYLOAD}/node --npm-cache ${PAYLOAD}/npm-cache`,
        { onLine: (line) => console.log(`    | ${line}`) },
      ),
    );
    await machine.powerOff();
  }
  await rename(layer, disk);
  return boot;
}
