import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { text } from 'node:stream/consumers';
import test from 'ava';

/** What a new process has of priority once it has come first, as a leader of its session or not. */
async function priorityOf(detached: boolean) {
  const script = `
    const fs = await import('node:fs');
    const os = await import('node:os');
    const { comeFirst } = await import(process.argv[1]);
    const { refused } = comeFirst();
    const threads = fs.readdirSync('/proc/self/task').map((one) => os.getPriority(Number(one)));
    const has = fs.existsSync('/proc/self/autogroup');
    const session = has ? fs.readFileSync('/proc/self/autogroup', 'utf8').trim() : '';
    console.log(JSON.stringify({ refused: refused?.code, threads, session }));
  `;
  const { href } = new URL('priority.ts', import.meta.url);
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script, href], {
    detached,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const told = JSON.parse(await text(child.stdout)) as {
    refused?: string;
    threads: number[];
    session: string;
  };
  return told;
}

const niceOf = (session: string): number => Number(/nice (-?\d+)/.exec(session)?.[1] ?? 0);
const own = fs.existsSync('/proc/self/autogroup')
  ? niceOf(fs.readFileSync('/proc/self/autogroup', 'utf8'))
  : undefined;

test('all threads of a process that leads its session come first, and the session too', async (t) => {
  const { refused, threads, session } = await priorityOf(true);
  // Only the privileged may raise themselves; they are told, and go on.
  if (refused !== undefined) {
    t.is(refused, 'ERR_SYSTEM_ERROR');
    return;
  }
  t.true(threads.length > 1);
  t.deepEqual(new Set(threads), new Set([-10]));
  t.is(niceOf(session), own === undefined ? 0 : -10);
});

test('the session of somebody else is left as it is', async (t) => {
  const { threads, session } = await priorityOf(false);
  t.true(threads.length > 1);
  t.is(niceOf(session), own ?? 0);
});
