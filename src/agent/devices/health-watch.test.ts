import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { NvidiaSmi } from '../../host/devices/nvidia-smi.ts';
import { GpuReader } from '../../host/devices/read-gpus.ts';
import { createLogger } from '../../log.ts';
import { ClaimStore } from './claims.ts';
import { watchDevices } from './health-watch.ts';
import { DeviceKeeper } from './keeper.ts';

test('an Xid is heard of a GPU whose driver was loaded after the agent was started', async (t) => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-health-'));
  t.teardown(() => fs.rm(folder, { recursive: true }));
  const [kernelLog, devDirectory] = [path.join(folder, 'kmsg'), path.join(folder, 'dev')];
  await fs.writeFile(kernelLog, '');
  const log = createLogger({ level: 'silent' });
  const gpus = new GpuReader(folder);
  await gpus.refresh();
  const keeper = new DeviceKeeper({
    roots: { cdiSpecDirs: [], driverDirectory: folder, devDirectory },
    ways: { nvidiaHandlers: new Set() },
    claims: new ClaimStore(folder),
    gpus,
    log,
  });
  const smi = new NvidiaSmi(path.join(folder, 'no-nvidia-smi'));
  // So long that only the kernel log can tell.
  const parts = { keeper, smi, kernelLog, cdiSpecDirs: [], periodMs: 3_600_000, log };
  const stop = new AbortController();
  const { ended } = await watchDevices(parts, stop.signal);

  await fs.mkdir(path.join(folder, 'gpus/0000:06:00.0'), { recursive: true });
  const information = path.join(folder, 'gpus/0000:06:00.0/information');
  await fs.writeFile(information, 'GPU UUID: GPU-aa\nDevice Minor: 3\n');
  await fs.mkdir(devDirectory);
  for (const node of ['nvidiactl', 'nvidia3'])
    await fs.writeFile(path.join(devDirectory, node), '');
  const xid = '4,1,2,-;NVRM: Xid (PCI:0000:06:00): 79, GPU has fallen off the bus.\n';
  while (keeper.list().every(({ fault }) => fault?.startsWith('Xid 79') !== true)) {
    // When it is listened to nobody tells.
    await fs.appendFile(kernelLog, xid);
    await delay(10);
  }
  t.is(keeper.list().length, 1);
  stop.abort();
  await ended;
});

test('what is known to be wrong stays so while nvidia-smi cannot be asked', async (t) => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-health-'));
  t.teardown(() => fs.rm(folder, { recursive: true }));
  const gpu = path.join(folder, 'gpus/0000:06:00.0');
  await fs.mkdir(gpu, { recursive: true });
  await fs.writeFile(path.join(gpu, 'information'), 'GPU UUID: GPU-aa\nDevice Minor: 3\n');
  for (const node of ['nvidiactl', 'nvidia3']) await fs.writeFile(path.join(folder, node), '');
  const log = createLogger({ level: 'silent' });
  const gpus = new GpuReader(folder);
  await gpus.refresh();
  const keeper = new DeviceKeeper({
    roots: { cdiSpecDirs: [], driverDirectory: folder, devDirectory: folder },
    ways: { nvidiaHandlers: new Set() },
    claims: new ClaimStore(folder),
    gpus,
    log,
  });
  const [program, asked] = [path.join(folder, 'smi'), path.join(folder, 'asked')];
  const row = 'GPU-aa, 00000000:06:00.0, None, No, No, No, 3, N/A, N/A';
  const says = async (script: string) => {
    await fs.writeFile(`${program}.new`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    await fs.rename(`${program}.new`, program);
  };
  await says(`echo '${row}'`);
  const kernelLog = path.join(folder, 'kmsg');
  await fs.writeFile(kernelLog, '');
  const smi = new NvidiaSmi(program);
  const stop = new AbortController();
  const parts = { keeper, smi, kernelLog, cdiSpecDirs: [], periodMs: 20, log };
  const { ended } = await watchDevices(parts, stop.signal);
  const known = '3 uncorrected memory errors since the last reset';
  t.deepEqual(
    keeper.list().map(({ fault }) => fault),
    [known],
  );

  await says(`echo x >> ${asked}; exit 1`);
  const times = async () => (await fs.readFile(asked, 'utf8').catch(() => '')).length;
  while ((await times()) < 6) await delay(10);
  t.deepEqual(
    keeper.list().map(({ fault }) => fault),
    [known],
  );
  stop.abort();
  await ended;
});
