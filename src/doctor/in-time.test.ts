// Whatever hangs is a finding of its own, and takes nothing along.
import fs from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { serve } from '../testing/containerd-server.ts';
import { checkAgent } from './check-agent.ts';
import { checkContainerd } from './check-containerd.ts';
import { checkDevices } from './check-devices.ts';
import { inTime, NoAnswer } from './in-time.ts';

const withinMs = 100;

async function folder(t: ExecutionContext): Promise<string> {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-doctor-'));
  t.teardown(() => fs.rm(dir, { recursive: true }));
  return dir;
}

/** Accepts every connection, and never says a word. */
async function silentSocket(t: ExecutionContext): Promise<string> {
  const socket = path.join(await folder(t), 'silent.sock');
  const open = new Set<Socket>();
  const server = createServer((connection) => open.add(connection)).listen(socket);
  await once(server, 'listening');
  t.teardown(() => {
    for (const connection of open) connection.destroy();
    server.close();
  });
  return socket;
}

test('a check that does not listen to its signal is given up all the same', async (t) => {
  const never = Promise.withResolvers<undefined>().promise;
  const error = await t.throwsAsync(
    inTime(withinMs, () => never),
    { instanceOf: NoAnswer },
  );
  t.is(error.message, 'no answer within 0.1 s');
  t.is(await inTime(60_000, () => Promise.resolve('well')), 'well');
});

test('an agent that accepts and does not answer', async (t) => {
  const { subject, verdict, finding, next } = await checkAgent(await silentSocket(t), withinMs);
  t.deepEqual([subject, verdict], ['agent', 'warn']);
  t.regex(finding, /^no answer within 0\.1 s at .*silent\.sock$/);
  t.regex(next ?? '', /journalctl -u reprise/);
});

test('a containerd that accepts and does not answer', async (t) => {
  const { findings, ways } = await checkContainerd(await silentSocket(t), withinMs);
  t.is(ways, undefined);
  const [only, more] = findings;
  t.is(more, undefined);
  t.like(only, { subject: 'containerd', verdict: 'fail' });
  t.regex(only?.finding ?? '', /^no answer within 0\.1 s at .*silent\.sock$/);
  t.regex(only?.next ?? '', /journalctl -u containerd/);
});

test('a containerd that answers no more: what it has said is told', async (t) => {
  const names = { runtimeName: 'containerd', runtimeApiVersion: 'v1' };
  await using server = await serve({
    runtime: {
      Version: (_, answer) => answer(null, { version: '0.1.0', runtimeVersion: '2.1.0', ...names }),
      Status: () => undefined,
    },
  });
  const { findings } = await checkContainerd(server.containerd.socketPath, 3000);
  t.deepEqual(
    findings.map(({ verdict, finding }) => `${verdict}: ${finding.split(' at ')[0]}`),
    ['ok: 2.1.0', 'fail: no answer within 3 s'],
  );
});

test('an nvidia-smi that hangs', async (t) => {
  const dir = await folder(t);
  const nvidiaSmi = path.join(dir, 'nvidia-smi');
  await fs.writeFile(nvidiaSmi, '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
  await fs.writeFile(path.join(dir, 'version'), 'NVRM version: NVIDIA 570.86.15  Release\n');
  const roots = { cdiSpecDirs: [dir], devDirectory: dir, driverDirectory: dir };
  const kernelLog = path.join(dir, 'version');
  const findings = await checkDevices({ roots, nvidiaSmi, kernelLog }, withinMs);
  const smi = findings.find(({ subject }) => subject === 'nvidia-smi');
  t.like(smi, { verdict: 'warn', finding: 'no answer within 0.1 s' });
  t.like(findings.at(-1), { subject: 'kernel log', verdict: 'ok' });
});
