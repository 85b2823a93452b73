// nvidia-smi by a program that stands in for it: unknown fields, failures, and one that hangs.
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { NvidiaSmi, NvidiaSmiError } from './nvidia-smi.ts';

async function standIn(t: ExecutionContext, script: string): Promise<string> {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-smi-'));
  t.teardown(() => fs.rm(dir, { recursive: true }));
  const program = path.join(dir, 'nvidia-smi');
  await fs.writeFile(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return program;
}

const { signal } = new AbortController();
/** However busy the machine is: of a program that answers, or ends when it is killed. */
const patienceMs = 240_000;

test('a field that the driver does not know is left out from then on', async (t) => {
  const program = await standIn(
    t,
    `echo "$1" >> "$0.calls"
case "$1" in
*fabric.state*) echo 'Field "fabric.state" is not a valid field to query.'; exit 2 ;;
*) echo "GPU-a, 00000000:06:00.0, None, No, No, No, 0, Success" ;;
esac`,
  );
  const smi = new NvidiaSmi(program, patienceMs);
  const rows = await smi.health(signal);
  t.is(rows[0]?.get('fabric.status'), 'Success');
  await smi.health(signal);
  const calls = (await fs.readFile(`${program}.calls`, 'utf8')).trim().split('\n');
  t.is(calls.length, 3);
});

test('its exit codes say whether the GPUs are meant', async (t) => {
  const failed = async (script: string): Promise<NvidiaSmiError> =>
    await t.throwsAsync(new NvidiaSmi(await standIn(t, script), patienceMs).health(signal), {
      instanceOf: NvidiaSmiError,
    });
  const bus = await failed('exit 15');
  t.regex(bus.message, /fallen off the bus/);
  t.true(bus.isAboutDevices);
  const odd = await failed('echo NVIDIA-SMI has failed; exit 1');
  t.is(odd.message, 'nvidia-smi: NVIDIA-SMI has failed');
  t.false(odd.isAboutDevices);
  const mismatch = await failed('echo Failed to initialize NVML: mismatch; exit 18');
  t.true(mismatch.isAboutDevices);
  const missing = await t.throwsAsync(new NvidiaSmi('/nonexistent/nvidia-smi').health(signal), {
    instanceOf: NvidiaSmiError,
  });
  t.is(missing.message, 'there is no nvidia-smi');
});

test('one that hangs is given up', async (t) => {
  const smi = new NvidiaSmi(await standIn(t, 'exec sleep 600'), 200, patienceMs);
  const error = await t.throwsAsync(smi.health(signal), { instanceOf: NvidiaSmiError });
  t.is(error.message, 'nvidia-smi did not answer in time');
  t.true(error.isAboutDevices);
});

test('while one hangs that cannot be killed, no other one is started', async (t) => {
  // What it leaves behind holds its output open, as if it were still there itself.
  const program = await standIn(t, 'echo $$ >> "$0.calls"\nsleep 30 &\necho $! > "$0.child"\nwait');
  t.teardown(async () => process.kill(Number(await fs.readFile(`${program}.child`, 'utf8'))));
  const smi = new NvidiaSmi(program, 2000, 100);
  const asked = await Promise.allSettled([smi.health(signal), smi.computeProcesses(signal)]);
  t.deepEqual(
    asked.map((one) => (one.status === 'rejected' ? (one.reason as Error).message : 'answered')),
    ['nvidia-smi hangs and cannot be killed', 'nvidia-smi still hangs'],
  );
  await t.throwsAsync(smi.health(signal), { message: 'nvidia-smi still hangs' });
  t.is((await fs.readFile(`${program}.calls`, 'utf8')).trim().split('\n').length, 1);
});

test('compute processes are listed with their GPU', async (t) => {
  const smi = new NvidiaSmi(await standIn(t, 'echo "GPU-a, 42"; echo "GPU-b, [N/A]"'), patienceMs);
  t.deepEqual(await smi.computeProcesses(signal), [{ gpuUuid: 'GPU-a', pid: 42 }]);
});
