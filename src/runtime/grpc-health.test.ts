import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { Server, ServerCredentials, loadPackageDefinition, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { ProtoGrpcType } from './generated/grpc-health.ts';
import type { HealthHandlers } from './generated/grpc/health/v1/Health.ts';
import { healthChecker } from './grpc-health.ts';
import { protoDirectory, protoOptions } from './protos.ts';

const check = healthChecker();
const never = new AbortController().signal;
/** Of a check that is to be answered: however busy the machine is. */
const patienceMs = 240_000;

/** A server on loopback; with no handler it has no health service. */
async function serving(t: ExecutionContext, Check?: HealthHandlers['Check']): Promise<string> {
  const definition = loadSync('grpc-health.proto', {
    ...protoOptions,
    includeDirs: [protoDirectory],
  });
  const { grpc } = loadPackageDefinition(definition) as unknown as ProtoGrpcType;
  const server = new Server();
  if (Check) server.addService(grpc.health.v1.Health.service, { Check });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
    if (error) reject(error);
    else resolve(port);
  });
  t.teardown(() => server.forceShutdown());
  return `127.0.0.1:${await promise}`;
}

function ask(target: string, service = '', timeoutMs = patienceMs, signal = never) {
  return check({ target, service, userAgent: 'kube-probe/1.36', timeoutMs }, signal);
}

test('who serves is healthy, and is told the service and who asks', async (t) => {
  const seen: string[] = [];
  const target = await serving(t, ({ request, metadata }, answer) => {
    seen.push(request.service, String(metadata.get('user-agent')[0]));
    answer(null, { status: 'SERVING' });
  });
  t.is(await ask(target, 'reader'), undefined);
  t.is(seen[0], 'reader');
  t.true(seen[1]?.startsWith('kube-probe/1.36'));
});

for (const answer of ['NOT_SERVING', 'UNKNOWN', 'SERVICE_UNKNOWN'] as const) {
  test(`${answer} is not healthy`, async (t) => {
    const target = await serving(t, (_, reply) => reply(null, { status: answer }));
    t.is(await ask(target), `service unhealthy (responded with "${answer}")`);
  });
}

test('no such service, no such protocol, no such server', async (t) => {
  const knowsNothing = await serving(t, (_, reply) =>
    reply({ code: status.NOT_FOUND, details: 'unknown service' }),
  );
  t.is(await ask(knowsNothing, 'x'), 'error: health rpc failed: 5 NOT_FOUND: unknown service');
  t.regex((await ask(await serving(t))) ?? '', /does not implement the grpc health protocol/);
  // Nobody listens there; and no port that others may be given is ever so low.
  t.regex((await ask('127.0.0.1:1')) ?? '', /^error: health rpc failed: 14 UNAVAILABLE/);
});

test('a check may be given more time than any timer has', async (t) => {
  const target = await serving(t, (_, answer) => answer(null, { status: 'SERVING' }));
  t.is(await ask(target, '', (2 ** 31 - 1) * 1000), undefined);
});

test('who does not answer in time is not healthy, whether it accepts or not', async (t) => {
  const silent = await serving(t, () => undefined);
  const complaint = 'timeout: health rpc did not complete within 0.2s';
  t.is(await ask(silent, '', 200), complaint);
  const sockets: net.Socket[] = [];
  const mute = net.createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
  t.is(await ask(`127.0.0.1:${(mute.address() as AddressInfo).port}`, '', 200), complaint);
});

test('a check that nobody waits for ends', async (t) => {
  const over = new AbortController();
  const target = await serving(t, () => over.abort());
  t.regex((await ask(target, '', patienceMs, over.signal)) ?? '', /CANCELLED/);
  // Neither does one begin that nobody has waited for in the first place.
  t.regex((await ask(target, '', patienceMs, over.signal)) ?? '', /CANCELLED/);
});
