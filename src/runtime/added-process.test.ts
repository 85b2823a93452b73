import { status } from '@grpc/grpc-js';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Answers } from '../testing/containerd-server.ts';
import { serve } from '../testing/containerd-server.ts';
import { processAdder } from './added-process.ts';
import type { AddProcess, ProcessRequest } from './added-process.ts';

const never = new AbortController().signal;

/** The specification of a container, with a number that JavaScript has none for. */
const spec = `{
  "process": {
    "terminal": false, "consoleSize": {"width": 1, "height": 1}, "commandLine": "x",
    "user": {"uid": 7}, "args": ["first"], "env": ["A=b", "TERM=dumb"], "cwd": "/home",
    "rlimits": [{"type": "RLIMIT_CORE", "hard": 18446744073709551615, "soft": 1024}]
  },
  "linux": {}
}`;

interface Asked {
  readonly add: AddProcess;
  /** What containerd was asked, in order. */
  readonly calls: string[];
  /** The process that it was to start, in JSON. */
  readonly specs: string[];
}

async function aContainer(t: ExecutionContext, tasks: Answers['tasks'] = {}): Promise<Asked> {
  const calls: string[] = [];
  const specs: string[] = [];
  const note = (what: string, { request }: { request: { execId?: string } }) =>
    calls.push(`${what} ${request.execId ?? ''}`);
  const { containerd, ...server } = await serve({
    containers: {
      Get: (_call, answer) => {
        answer(null, { container: { spec: { type_url: 'x', value: Buffer.from(spec) } } });
      },
    },
    tasks: {
      Exec: (call, answer) => {
        note('Exec', call);
        specs.push(Buffer.from(call.request.spec?.value ?? '').toString());
        answer(null, {});
      },
      Start: (call, answer) => {
        note('Start', call);
        answer(null, { pid: 1 });
      },
      DeleteProcess: (call, answer) => {
        note('DeleteProcess', call);
        answer(null, {});
      },
      Wait: (call, answer) => {
        note('Wait', call);
        answer(null, { exitStatus: 3 });
      },
      ...tasks,
    },
  });
  t.teardown(() => server[Symbol.asyncDispose]());
  return { add: processAdder(containerd), calls, specs };
}

const request: ProcessRequest = {
  containerId: 'c1',
  id: 'e1',
  command: ['ls', '-l'],
  tty: false,
  pipes: { stdout: '/pipe' },
};

test('a process is as the first one of its container but for its command, to the last digit', async (t) => {
  const { add, specs, calls } = await aContainer(t);
  const process = await add(request, never);
  t.is(
    specs[0],
    '{"terminal":false,"user":{"uid":7},"args":["ls","-l"],"env":["A=b","TERM=dumb"],"cwd":"/home",' +
      '"rlimits":[{"type":"RLIMIT_CORE","hard":18446744073709551615,"soft":1024}]}',
  );
  t.is(await process.exited(never), 3);
  await process.remove();
  t.deepEqual(calls, ['Exec e1', 'Start e1', 'Wait e1', 'DeleteProcess e1']);
});

test('with a terminal it is told which kind', async (t) => {
  const { add, specs } = await aContainer(t);
  await add({ ...request, tty: true }, never);
  t.like(JSON.parse(specs[0] ?? ''), { terminal: true, env: ['A=b', 'TERM=xterm'] });
});

test('one that cannot be started is removed, and why is told', async (t) => {
  const { add, calls } = await aContainer(t, {
    Start: (_call, answer) => {
      answer({ code: status.UNKNOWN, details: 'no such program' });
    },
  });
  await t.throwsAsync(add(request, never), { message: /no such program/ });
  t.deepEqual(calls, ['Exec e1', 'DeleteProcess e1']);
});

test('what is done to one that is gone is no failure; what else fails is', async (t) => {
  const gone = { code: status.NOT_FOUND, details: 'process e1 not found' };
  const { add } = await aContainer(t, {
    Kill: (_call, answer) => {
      answer(gone);
    },
    DeleteProcess: (_call, answer) => {
      answer(gone);
    },
    ResizePty: (_call, answer) => {
      answer({ code: status.UNKNOWN, details: 'no terminal' });
    },
  });
  const process = await add(request, never);
  await t.notThrowsAsync(process.kill());
  await t.notThrowsAsync(process.remove());
  await t.throwsAsync(process.resize({ width: 1, height: 1 }), { message: /no terminal/ });
});
