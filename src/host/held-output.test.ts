import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createInterface } from 'node:readline';
import test from 'ava';
import { holdOutput } from './held-output.ts';

/** In the name of every cgroup. */
const containerId = '/';

interface Wished {
  /** Where it writes its errors to. */
  readonly errors?: string;
  /** Whether its parent has what it writes to, too. */
  readonly isOfParent?: boolean;
}

/** A process that ends with its input; `end` is written when its error output has come to its end. */
async function aProcess({ errors = '&1', isOfParent = true }: Wished = {}) {
  const process = `sh -c 'echo $$ >&3; read line' 2>${errors} >/dev/null`;
  const script = `{ { ${isOfParent ? `${process}; :` : `exec ${process}`}; } | cat; } 3>&1; echo end`;
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
  t.false(output?.isOver());
  await end();
  let isOver = false;
  const over = next().then((line) => {
    isOver = true;
    return line;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.false(isOver);
  t.true(output?.isOver());
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
  const { pid, end } = await aProcess({ errors: '/dev/null' });
  t.is(holdOutput({ pid, containerId }), undefined);
  await end();
});

test('nor is a pipe that is not of its parent: the program may have made it', async (t) => {
  const { pid, end, next } = await aProcess({ isOfParent: false });
  t.is(holdOutput({ pid, containerId }), undefined);
  await end();
  t.is(await next(), 'end');
});
