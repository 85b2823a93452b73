import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import type { sendUnaryData } from '@grpc/grpc-js';
import test from 'ava';
import { serve } from '../testing/containerd-server.ts';
import type { Answers } from '../testing/containerd-server.ts';
import { RuntimeCallError } from './call.ts';
import { connectContainerd } from './connect.ts';
import { criOver } from './cri.ts';
import { ContainerdUnreachable } from './unreachable.ts';

/** A handler that always fails. */
const failing =
  (code: status, details: string) => (_call: unknown, answer: sendUnaryData<never>) => {
    answer({ code, details });
  };
const notFound = failing(status.NOT_FOUND, 'no such id');

async function answered(
  t: { teardown(end: () => PromiseLike<void>): void },
  runtime: Answers['runtime'],
) {
  const server = await serve({ runtime });
  t.teardown(() => server[Symbol.asyncDispose]());
  return criOver(server.containerd);
}

test('stopping and removing what is not there is a success', async (t) => {
  const cri = await answered(t, {
    StopContainer: notFound,
    RemoveContainer: notFound,
    StopPodSandbox: notFound,
    RemovePodSandbox: notFound,
  });
  await t.notThrowsAsync(cri.stopContainer('x', 3));
  await t.notThrowsAsync(cri.removeContainer('x'));
  await t.notThrowsAsync(cri.stopPodSandbox('x'));
  await t.notThrowsAsync(cri.removePodSandbox('x'));
});

test('any other answer is an error that names call, code and socket', async (t) => {
  const cri = await answered(t, {
    StartContainer: failing(status.UNKNOWN, 'container is in CONTAINER_EXITED state'),
  });
  const error = await t.throwsAsync(cri.startContainer('x'), { instanceOf: RuntimeCallError });
  t.like(error, {
    code: 'unknown',
    call: 'StartContainer',
    message: 'containerd could not do StartContainer: container is in CONTAINER_EXITED state',
    where: cri.socketPath,
  });
});

test('a name that is taken tells by whom, whatever the code', async (t) => {
  const holder = 'ab'.repeat(32);
  for (const code of [status.UNKNOWN, status.FAILED_PRECONDITION]) {
    const cri = await answered(t, {
      CreateContainer: failing(code, `name "x" is reserved for "${holder}"`),
    });
    const created = cri.createContainer('s', {}, {});
    const error = await t.throwsAsync(created, { instanceOf: RuntimeCallError });
    t.is(error.reservedFor, holder);
  }
});

test('a stop outlasts its grace, or SIGKILL would never be sent', async (t) => {
  let deadline = 0;
  const cri = await answered(t, {
    StopContainer: (call, answer) => {
      deadline = Number(call.getDeadline());
      t.is(call.request.timeout, '600');
      answer(null, {});
    },
  });
  await cri.stopContainer('x', 599.5);
  t.true(deadline - Date.now() > 610_000);
});

test('the cgroup driver is unknown to a containerd before 2.0', async (t) => {
  t.is(await (await answered(t, {})).cgroupDriver(), undefined);
  const newer = await answered(t, {
    RuntimeConfig: (_call, answer) => {
      answer(null, { linux: { cgroupDriver: 'CGROUPFS' } });
    },
  });
  t.is(await newer.cgroupDriver(), 'CGROUPFS');
});

test('an abort ends the wait with its own reason', async (t) => {
  const cri = await answered(t, { StopContainer: () => undefined });
  const abort = new AbortController();
  const stopping = cri.stopContainer('x', 30, abort.signal);
  setTimeout(() => abort.abort('over'), 20);
  t.is(await stopping.catch((error: unknown) => error), 'over');
  t.is(await cri.stopContainer('x', 30, abort.signal).catch((error: unknown) => error), 'over');
});

async function unreachable(socketPath: string): Promise<ContainerdUnreachable> {
  using containerd = connectContainerd(socketPath);
  const asked: Promise<unknown> = criOver(containerd).version();
  const error = await asked.catch((thrown: unknown) => thrown);
  if (!(error instanceof ContainerdUnreachable)) throw error;
  return error;
}

test('a containerd that cannot be reached says why, where, and what to do', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'reprise-sockets-'));
  t.teardown(() => rm(folder, { recursive: true }));

  const missing = await unreachable(join(folder, 'missing.sock'));
  t.is(missing.message, 'containerd is not reachable: there is no such socket');
  t.is(missing.where, join(folder, 'missing.sock'));
  t.regex(missing.next ?? '', /--containerd/);

  await writeFile(join(folder, 'file'), '');
  t.is((await unreachable(join(folder, 'file'))).reason, 'other');
  t.is((await unreachable(join(folder, 'file', 'x.sock'))).reason, 'missing');
  t.is((await unreachable(join(folder, 'x'.repeat(150)))).reason, 'missing');
});

test('a socket on which something else listens is told apart from none', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'reprise-sockets-'));
  const socketPath = join(folder, 'busy.sock');
  const mute = createServer((socket) => socket.destroy()).listen(socketPath);
  t.teardown(async () => {
    mute.close();
    await rm(folder, { recursive: true });
  });
  t.is((await unreachable(socketPath)).reason, 'busy');
});

test('a daemon that is still starting counts as unreachable in every version', async (t) => {
  const cri = await answered(t, {
    Version: failing(status.UNKNOWN, 'server is not initialized yet'),
  });
  await t.throwsAsync(cri.version(), { instanceOf: ContainerdUnreachable });
});
