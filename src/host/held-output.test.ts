import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createInterface } from 'node:readline';
import test from 'ava';
import { holdOutput } from './held-output.ts';

/** In the name of every cgroup. */
const containerId = '/';

/** A process that ends with its input, with an error output that ends with `rest`. */
async function aProcess(rest = '| cat') {
  const script = `{ sh -c 'echo $$ >&3; read line' 2>&1 >/dev/null ${rest}; } 3>&1; echo end`;
  const { stdin, stdout } = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface(stdout)[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value as unknown;
  const pid = Number(await next());
  const end = async () => {
    stdin.end();
    while (fs.existsSync(`/proc/${pid}`)) await new Promise(setImmediate);
  };
  return { pid, end, next };
}

test('whoever reads the output comes to its end when it is let go', async (t) => {
  const { pid, end, next } = await aProcess();
  const output = holdOutput({ pid, containerId });
  await end();
  let isOver = false;
  const over = next().then((line) => {
    isOver = true;
    return line;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.false(isOver);
  output?.[Symbol.dispose]();
  t.is(await over, 'end');
});

test('a process that is over has nothing to hold', async (t) => {
  const child = spawn('true');
  await once(child, 'exit');
  t.is(holdOutput({ pid: child.pid ?? 0, containerId }), undefined);
});

test('a process that is not of the container is let alone', async (t) => {
  const { pid, end, next } = await aProcess();
  t.is(holdOutput({ pid, containerId: 'another' }), undefined);
  await end();
  t.is(await next(), 'end');
});

test('what is no pipe is not opened', async (t) => {
  const { pid, end } = await aProcess('2>/dev/null');
  t.is(holdOutput({ pid, containerId }), undefined);
  await end();
});
