import { status } from '@grpc/grpc-js';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Answers } from '../testing/containerd-server.ts';
import { serve } from '../testing/containerd-server.ts';
import { processesOf } from './added-process.ts';
import type { ProcessRequest, Processes } from './added-process.ts';

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

interface Asked extends Processes {
  /** What containerd was asked, in order. */
  readonly calls: string[];
  /** The process that it was to start, in JSON. */
  readonly specs: string[];
  /** Another containerd in its place. */
  readonly restart: (answers: Answers) => Promise<void>;
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
      Kill: (call, answer) => {
        note('Kill', call);
        answer(null, {});
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
  return { ...processesOf(containerd), restart: (next) => server.restart(next), calls, specs };
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
  t.deepEqual(calls, ['Exec e1', 'Start e1', 'Wait e1']);
});

test('with a terminal it is told which kind', async (t) => {
  const { add, specs } = await aContainer(t);
  await add({ ...request, tty: true }, never);
  t.like(JSON.parse(specs[0] ?? ''), { terminal: true, env: ['A=b', 'TERM=xterm'] });
});

test('one that cannot be started is ended, and why is told', async (t) => {
  const { add, calls } = await aContainer(t, {
    Start: (_call, answer) => {
      answer({ code: status.UNKNOWN, details: 'no such program' });
    },
  });
  await t.throwsAsync(add(request, never), { message: /no such program/ });
  t.deepEqual(calls, ['Exec e1', 'Kill e1', 'Wait e1', 'DeleteProcess e1']);
});

test('one whose caller went away while it was started is ended when it has been', async (t) => {
  const gone = new AbortController();
  const { add, calls } = await aContainer(t, {
    Start: (_call, answer) => {
      gone.abort();
      setTimeout(() => answer(null, { pid: 1 }), 20);
    },
  });
  await t.throwsAsync(add(request, gone.signal), { name: 'AbortError' });
  t.deepEqual(calls, ['Exec e1', 'Kill e1', 'Wait e1', 'DeleteProcess e1']);
});

test('one that is gone is ended; what else fails is a failure', async (t) => {
  const gone = { code: status.NOT_FOUND, details: 'process e1 not found' };
  const { add, end } = await aContainer(t, {
    Kill: (_call, answer) => {
      answer(gone);
    },
    Wait: (_call, answer) => {
      answer(gone);
    },
    DeleteProcess: (_call, answer) => {
      answer(gone);
    },
    ResizePty: (_call, answer) => {
      answer({ code: status.UNKNOWN, details: 'no terminal' });
    },
  });
  await t.notThrowsAsync(end('c1', 'e1'));
  const process = await add(request, never);
  await t.throwsAsync(process.resize({ width: 1, height: 1 }), { message: /no terminal/ });
});

test('who waits for its end waits through a restart of containerd', async (t) => {
  const waited = Promise.withResolvers<undefined>();
  const { add, restart } = await aContainer(t, { Wait: () => waited.resolve(undefined) });
  const process = await add(request, never);
  const exited = process.exited(never);
  await waited.promise;
  await restart({ tasks: { Wait: (_call, answer) => answer(null, { exitStatus: 4 }) } });
  t.is(await exited, 4);
});
