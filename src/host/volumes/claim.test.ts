import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { aPod } from '../../testing/builders.ts';
import { aClaim, among } from '../../testing/objects.ts';
import { provideClaim } from './claim.ts';
import { VolumeError } from './volume-error.ts';

interface Place extends AsyncDisposable {
  readonly dataDir: string;
  /** For a pod, a new one if none is named. */
  readonly provide: (options?: {
    readonly fsGroup?: number;
    readonly fsGroupChangePolicy?: 'OnRootMismatch' | 'Always';
    readonly readOnly?: boolean;
    readonly uid?: string;
  }) => Promise<string>;
}

async function aPlace(): Promise<Place> {
  const dataDir = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-claims-'));
  const claimName = 'data';
  return {
    dataDir,
    provide: ({ readOnly, uid = randomUUID(), ...context } = {}) => {
      const pod = aPod([], [], {
        securityContext: { supplementalGroups: [], sysctls: [], ...context },
      });
      const markers = path.join(dataDir, 'pods', uid);
      const volume = { name: 'v', persistentVolumeClaim: { claimName, readOnly } };
      const { persistentVolumeClaim } = volume;
      const find = among(aClaim(claimName));
      return provideClaim({ dataDir, markers }, pod, volume, persistentVolumeClaim, find);
    },
    [Symbol.asyncDispose]: () => fs.rm(dataDir, { recursive: true, force: true }),
  };
}

/** Mode, owner and group of something; of a link itself. */
async function ownership(...parts: readonly string[]): Promise<string> {
  const { mode, uid, gid } = await fs.lstat(path.join(...parts));
  return `${(mode & 0o7777).toString(8)} ${uid}:${gid}`;
}

test('a claim is a folder that everybody may use, and stays what it is', async (t) => {
  await using place = await aPlace();
  const data = await place.provide();
  t.is(data, path.join(place.dataDir, 'claims/default/data/data'));
  t.is(await ownership(data), '777 0:0');
  await fs.writeFile(path.join(data, 'file'), 'content');
  await fs.chmod(data, 0o700);
  t.is(await place.provide(), data);
  t.is(await fs.readFile(path.join(data, 'file'), 'utf8'), 'content');
  t.is(await ownership(data), '700 0:0');
});

test('pods that come for a claim at the same time get the same folder', async (t) => {
  await using place = await aPlace();
  const write = async () => {
    const data = await place.provide();
    const { ino } = await fs.stat(data);
    await fs.writeFile(path.join(data, randomUUID()), '');
    return ino;
  };
  const inodes = await Promise.all(Array.from({ length: 10 }, write));
  t.is(new Set(inodes).size, 1);
  t.is((await fs.readdir(await place.provide())).length, 10);
});

test('a claim that is not there keeps the pod waiting', async (t) => {
  await using place = await aPlace();
  const volume = { name: 'v', persistentVolumeClaim: { claimName: 'data' } };
  const error = await t.throwsAsync(
    provideClaim(
      { dataDir: place.dataDir, markers: '' },
      aPod([], []),
      volume,
      volume.persistentVolumeClaim,
      among(),
    ),
    { instanceOf: VolumeError },
  );
  t.is(
    error.message,
    'MountVolume.SetUp failed for volume "v" : persistentvolumeclaim "data" not found',
  );
  t.deepEqual(await fs.readdir(place.dataDir), []);
});

test('all that is in it is given to fsGroup, links are not followed', async (t) => {
  await using place = await aPlace();
  const outside = path.join(place.dataDir, 'outside');
  await fs.mkdir(outside);
  await fs.writeFile(path.join(outside, 'file'), '', { mode: 0o600 });
  const data = await place.provide();
  await fs.mkdir(path.join(data, 'a/b'), { recursive: true });
  await fs.writeFile(path.join(data, 'a/b/file'), '', { mode: 0o600 });
  await fs.writeFile(path.join(data, 'a/program'), '');
  await fs.chown(path.join(data, 'a/program'), 1000, 1000);
  await fs.chmod(path.join(data, 'a/program'), 0o4750);
  await fs.symlink(outside, path.join(data, 'a/link'));
  await fs.symlink(path.join(outside, 'file'), path.join(data, 'file-link'));

  await place.provide({ fsGroup: 2000 });
  t.is(await ownership(data), '2777 0:2000');
  t.is(await ownership(data, 'a/b'), '2775 0:2000');
  t.is(await ownership(data, 'a/b/file'), '660 0:2000');
  t.is(await ownership(data, 'a/program'), '4770 1000:2000');
  t.regex(await ownership(data, 'a/link'), / 0:2000$/);
  t.regex(await ownership(data, 'file-link'), / 0:2000$/);
  t.regex(await ownership(outside), / 0:0$/);
  t.is(await ownership(outside, 'file'), '600 0:0');
});

test('a file whose name is no UTF-8 is given to the group as well', async (t) => {
  await using place = await aPlace();
  const data = await place.provide();
  const file = Buffer.concat([Buffer.from(`${data}/`), Buffer.from('caf\xe9', 'latin1')]);
  await fs.writeFile(file, '');
  await place.provide({ fsGroup: 2000 });
  t.is((await fs.lstat(file)).gid, 2000);
});

test('it is given to the group once for each pod, whoever has written there meanwhile', async (t) => {
  await using place = await aPlace();
  const data = await place.provide({ fsGroup: 2000, uid: 'first' });
  await fs.writeFile(path.join(data, 'file'), '', { mode: 0o600 });
  await fs.chown(path.join(data, 'file'), 0, 0);
  await place.provide({ fsGroup: 2000, uid: 'first' });
  t.is(await ownership(data, 'file'), '600 0:0');
  await place.provide({ fsGroup: 2000, uid: 'second' });
  t.is(await ownership(data, 'file'), '660 0:2000');
  await place.provide({ fsGroup: 3000, uid: 'third' });
  t.is(await ownership(data, 'file'), '660 0:3000');
});

const roots: Record<string, readonly [group: number, mode: number, isGiven: boolean]> = {
  'one of the group': [2000, 0o2775, false],
  'one of another group': [3000, 0o2775, true],
  'one that the group may not write to': [2000, 0o2755, true],
  'one that does not give its group on': [2000, 0o775, true],
};
for (const [title, [group, mode, isGiven]] of Object.entries(roots)) {
  test(`OnRootMismatch ${isGiven ? 'gives' : 'leaves alone'} what is in a folder: ${title}`, async (t) => {
    await using place = await aPlace();
    const data = await place.provide();
    await fs.writeFile(path.join(data, 'file'), '', { mode: 0o600 });
    await fs.chown(data, 0, group);
    await fs.chmod(data, mode);
    await place.provide({ fsGroup: 2000, fsGroupChangePolicy: 'OnRootMismatch' });
    t.is(await ownership(data, 'file'), isGiven ? '660 0:2000' : '600 0:0');
  });
}

test('what nobody may write to is not given to anybody', async (t) => {
  await using place = await aPlace();
  t.is(await ownership(await place.provide({ fsGroup: 2000, readOnly: true })), '777 0:0');
});
