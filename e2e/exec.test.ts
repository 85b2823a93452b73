// A command in a container: its streams, its terminal, its end, and that nothing is left of it.
import fs from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { inside } from './inside.ts';
import { container, pod, referencePod, sidecar } from './manifests.ts';
import type { ManifestOf } from './manifests.ts';
import { isReady, program, readyIn, statusOf, until } from './node.ts';
import { sharedNode } from './shared.ts';
import { testInTurn } from './turns.ts';

const test = testInTurn(4);
const node = sharedNode();

async function up(manifest: ManifestOf): Promise<V1Pod> {
  await node().apply(manifest);
  return await node().podThat(manifest.metadata.name, 'is ready', isReady);
}

interface Ran {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

async function exec(args: readonly string[], input: string | Uint8Array = ''): Promise<Ran> {
  const { exitCode, stdout, stderr } = await node().reprise(['exec', ...args], { input });
  return { exitCode, stdout, stderr };
}

/** The processes of a container whose command line has this in it. */
async function processes(of: V1Pod, name: string, what: string): Promise<number> {
  const all = await inside(node(), of, name, 'cat /proc/[0-9]*/cmdline | tr "\\0" " "');
  return all.split(what).length - 1;
}

test('both streams and the exit code come back, byte by byte', async (t) => {
  await up(pod('tells', [], [container('main')]));
  const ran = await exec(['tells', '--', 'sh', '-c', 'echo "a  b"; echo bad >&2; exit 3']);
  t.deepEqual(ran, {
    exitCode: 3,
    stdout: 'a  b',
    stderr: 'bad\ncommand terminated with exit code 3',
  });
  t.deepEqual(await exec(['pod/tells', '--', 'echo', '-n', '$HOME; *']), {
    exitCode: 0,
    stdout: '$HOME; *',
    stderr: '',
  });
  const { stdout } = await node().reprise(
    ['exec', 'tells', '--', 'head', '-c', '3000000', '/dev/zero'],
    { encoding: 'buffer' },
  );
  t.true(Buffer.alloc(3_000_000).equals(Buffer.from(stdout as unknown as Uint8Array)));
});

test('with -i it reads what comes in, up to its end, and without it nothing', async (t) => {
  await up(pod('reads', [], [container('main')]));
  const bytes = Buffer.alloc(2_000_000, 'abcdefg\n');
  t.like(await exec(['-i', 'reads', '--', 'wc', '-c'], bytes), {
    exitCode: 0,
    stdout: '2000000',
  });
  t.like(await exec(['-i', 'reads', '--', 'sh', '-c', 'read line; echo $line'], bytes), {
    exitCode: 0,
    stdout: 'abcdefg',
  });
  t.like(await exec(['reads', '--', 'wc', '-c'], bytes), { exitCode: 0, stdout: '0' });
});

test('it runs as its container does', async (t) => {
  const looks = 'id; pwd; echo $NAME; grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/$1/status';
  const of = await up(
    pod(
      'likewise',
      [],
      [
        container('main', undefined, {
          workingDir: '/tmp',
          securityContext: {
            ...{ runAsUser: 1234, runAsGroup: 55, allowPrivilegeEscalation: false },
            capabilities: { add: ['NET_ADMIN'], drop: ['KILL'] },
          },
        }),
      ],
      { securityContext: { supplementalGroups: [77] } },
    ),
  );
  const { stdout } = await exec(['likewise', '--', 'sh', '-c', looks, 'sh', 'self']);
  const [id, pwd, name, ...status] = stdout.split('\n');
  t.regex(id ?? '', /uid=1234 gid=55 groups=55,77$/);
  t.deepEqual([pwd, name], ['/tmp', 'main']);
  const first = await inside(node(), of, 'main', looks.replace('$1', '1'));
  t.deepEqual(status, first.split('\n').slice(3));
});

test('-c says in which container, and without it that is told', async (t) => {
  await up(pod('several', [sidecar('watcher')], [container('main')]));
  const where = ['several', '--', 'sh', '-c', 'echo $NAME'];
  t.deepEqual(await exec(['-c', 'watcher', ...where]), {
    exitCode: 0,
    stdout: 'watcher',
    stderr: '',
  });
  t.deepEqual(await exec(where), {
    exitCode: 0,
    stdout: 'main',
    stderr: 'Defaulted container "main" out of: watcher, main',
  });
});

test('with -it it has a terminal, which is as large as ours', async (t) => {
  await up(pod('interactive', [], [container('main')]));
  // Its size is told when it is there, and asked for until then.
  const waits =
    'test -t 0; echo $? $TERM; until [ "$(stty size 2>/dev/null)" = "33 101" ]; do :; done';
  const typed = `stty rows 33 cols 101; exec ${program} exec -it interactive -- sh -c '${waits}; echo sized; cat'`;
  const terminal = execa('script', ['-qec', typed, '/dev/null'], {
    env: node().env,
    reject: false,
  });
  terminal.stdout.on('data', (piece: Buffer) => {
    // A line, and the end of all lines, which only a terminal makes of this character.
    if (piece.toString().includes('sized')) terminal.stdin.write('hello\n\x04');
  });
  const { stdout, exitCode } = await terminal;
  t.is(exitCode, 0, stdout);
  t.deepEqual(stdout.trimEnd().split(/\r*\n/), ['0 xterm', 'sized', 'hello', 'hello']);
});

test('a command that cannot be started, a container that does not run, and no command are errors', async (t) => {
  await node().apply(pod('refuses', [], [container('main'), container('other', 'exit 0')]));
  await node().podThat(
    'refuses',
    'has one that runs and one that has ended',
    (one) =>
      statusOf(one, 'main').state.running !== undefined &&
      statusOf(one, 'other').state.terminated !== undefined,
  );
  const missing = await exec(['refuses', '-c', 'main', '--', 'no-such-program']);
  t.is(missing.exitCode, 1);
  t.regex(missing.stderr, /^error: the command could not be started: .*no-such-program/m);
  t.regex(missing.stderr, /at: pod default\/refuses, container "main"$/m);
  const over = await exec(['refuses', '-c', 'other', '--', 'true']);
  t.is(over.exitCode, 1);
  t.regex(over.stderr, /^error: container "other" does not run: Completed$/m);
  const none = await exec(['refuses']);
  t.is(none.exitCode, 2);
  t.regex(none.stderr, /there is no command to run[^]*reprise exec NAME -- COMMAND/);
  const absent = await exec(['nobody', '--', 'true']);
  t.is(absent.exitCode, 1);
  t.regex(absent.stderr, /pods "nobody" not found/);
});

test('it ends with whoever asked for it', async (t) => {
  const of = await up(pod('orphans', [], [container('main')]));
  const run = node().reprise(['exec', 'orphans', '--', 'sh', '-c', 'echo here; sleep 98765']);
  await until('it runs', async () => (await processes(of, 'main', 'sleep 98765')) > 0);
  run.kill('SIGKILL');
  await run;
  await until('it has been killed', async () => (await processes(of, 'main', 'here')) === 0);
  t.pass();
});

test('an in-place restart ends it, and the next one is in the new run', async (t) => {
  await up(referencePod('restarts'));
  const run = node().reprise(['exec', 'restarts', '-c', 'main', '--', 'sh', '-c', 'sleep 98764']);
  const of = await node().pod('restarts');
  await until('it runs', async () => (await processes(of, 'main', 'sleep 98764')) > 0);
  await node().tell(of, 'watcher', 88);
  const { exitCode, all } = await run;
  t.is(exitCode, 137, all);
  await node().podThat('restarts', 'was restarted in place', readyIn(1));
  t.like(await exec(['restarts', '-c', 'main', '--', 'sh', '-c', 'cat /proc/1/cmdline | wc -l']), {
    exitCode: 0,
  });
});

test('no pipe is left of a command, nor of an agent that was killed', async (t) => {
  const other = await node().beside('killed');
  const { run } = await other.agent();
  await other.apply(pod('left', [], [container('main')]));
  const left = await other.podThat('left', 'is ready', isReady);
  const folder = path.join(other.dataDir, 'exec');
  t.is(await other.ok('exec', 'left', '--', 'echo', 'once'), 'once');
  await until('its pipes are gone', () => Promise.resolve(fs.readdirSync(folder).length === 0));
  const client = other.reprise(['exec', 'left', '--', 'sleep', '98763']);
  await until('it runs', async () => (await processes(left, 'main', 'sleep 98763')) === 1);
  run.kill('SIGKILL');
  await run;
  const { exitCode, all } = await client;
  t.is(exitCode, 1);
  t.regex(all, /the connection to the agent broke/);
  t.is(await processes(left, 'main', 'sleep 98763'), 1);
  await other.agent();
  await until('it has been ended', async () => {
    return (
      (await processes(left, 'main', 'sleep 98763')) === 0 && fs.readdirSync(folder).length === 0
    );
  });
  t.is(await other.ok('exec', 'left', '--', 'echo', 'again'), 'again');
});
