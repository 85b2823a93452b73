import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { readVolumeFile } from './read-file.ts';
import { VolumeError } from './volume-error.ts';

const cases: Record<string, [script: string, becomes: string | undefined | RegExp]> = {
  'a file is read': ['mkdir dir; echo hello > dir/file', 'hello\n'],
  'a link within the volume is followed': [
    'mkdir dir; echo x > real; ln -s ../real dir/file',
    'x\n',
  ],
  'no file is none': ['mkdir dir', undefined],
  'no folder is none': [':', undefined],
  'a link to nothing is none': ['mkdir dir; ln -s nothing dir/file', undefined],
  'a link out of the volume is not followed': [
    'mkdir dir; ln -s /etc/hostname dir/file',
    /leads out/,
  ],
  'nor a folder that is one': ['ln -s /etc dir', /leads out/],
  'nor one that climbs': ['mkdir dir; ln -s ../../precious dir/file', /leads out/],
  'a pipe keeps nobody waiting': ['mkdir dir; mkfifo dir/file', /it is no file/],
  'a folder is no file': ['mkdir -p dir/file', /it is no file/],
  'a file is not read without an end': ['mkdir dir; truncate -s 2G dir/file', /more than/],
  'zeros are no text': ['mkdir dir; truncate -s 8 dir/file', /it is no text/],
};
for (const [title, [script, becomes]] of Object.entries(cases)) {
  test(title, async (t) => {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-read-'));
    t.teardown(() => fs.rm(folder, { recursive: true }));
    await fs.writeFile(path.join(folder, 'precious'), 'secret');
    const root = path.join(folder, 'volume');
    await fs.mkdir(root);
    await execa('sh', ['-c', script], { cwd: root });
    const read = readVolumeFile('data', root, 'dir/file');
    if (!(becomes instanceof RegExp)) t.is(await read, becomes);
    else await t.throwsAsync(read, { instanceOf: VolumeError, message: becomes });
  });
}
