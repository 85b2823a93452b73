import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import anyTest from 'ava';
import { execa, execaSync } from 'execa';
import type { ReadLog } from './api/logs.ts';
import type { V1Device } from './pod/v1-device.ts';
import { serve } from './testing/served.ts';
import type { Served } from './testing/served.ts';
import { aShownPod, running, status } from './testing/v1-pods.ts';

interface Said {
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
}

const main = fileURLToPath(new URL('main.ts', import.meta.url));
/** Of a program that ends by itself: however busy the machine is. */
const patienceMs = 240_000;
/** Dozens of programs that start side by side would all take as long as all of them together. */
const test = anyTest.serial;

async function reprise(
  args: readonly string[],
  more: { input?: string; uid?: number; gid?: number } = {},
): Promise<Said> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [main, ...args], {
    reject: false,
    timeout: patienceMs,
    extendEnv: false,
    // Nothing of the machine's own set-up may leak in.
    env: { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1' },
    ...more,
  });
  return { code: exitCode, out: stdout, err: stderr };
}

const manifest = (name: string): string => `
apiVersion: v1
kind: Pod
metadata:
  name: ${name}
spec:
  containers:
  - name: main
    image: localhost/test:1
`;

const aDevice = (index: string): V1Device => ({
  apiVersion: 'reprise.dev/v1',
  kind: 'Device',
  metadata: { name: `acme.com/gpu=${index}`, resourceVersion: '0' },
  spec: { resource: 'acme.com/gpu', names: [`acme.com/gpu=${index}`], nodes: [], isGroup: false },
  status: { health: 'Healthy', users: [] },
});

const commands = [
  'run',
  'agent',
  'apply',
  'create',
  'get',
  'describe',
  'logs',
  'exec',
  'events',
  'debug',
  'restart',
  'timeline',
  'wait',
  'delete',
  'validate',
  'doctor',
  'bench',
  'rehearse',
  'version',
];
/** Of a help that is not on a terminal; most terminals have as many. */
const COLUMNS = 80;

test('--help names every command', async (t) => {
  const { code, out } = await reprise(['--help']);
  t.is(code, 0);
  for (const command of commands) t.regex(out, new RegExp(`^  ${command} `, 'm'));
});

for (const command of commands) {
  test(`${command} --help teaches by example`, async (t) => {
    const { code, out } = await reprise([command, '--help']);
    t.is(code, 0);
    t.regex(out, new RegExp(`^Usage: reprise ${command}`));
    t.regex(out, /^Examples?:\n {2}.*reprise/m);
    t.regex(out, /--socket <path>/);
    t.not(descriptionIn(out), '');
    t.deepEqual(brokenLines(descriptionIn(out)), []);
  });
}

/** What is between the usage and the arguments or options. */
function descriptionIn(help: string): string {
  return /^Usage: .*\n\n([^]*?)\n\n(?:Arguments|Options):$/m.exec(help)?.[1] ?? '';
}

/** Lines that would have had room for the first word of the next one. */
function brokenLines(text: string): readonly string[] {
  const lines = text.split('\n');
  return lines.filter((line, index) => {
    const [word = ''] = (lines[index + 1] ?? '').split(' ');
    return line !== '' && word !== '' && line.length + 1 + word.length <= COLUMNS;
  });
}

test('the help of --resolv-conf tells what an empty name means', async (t) => {
  const { out } = await reprise(['agent', '--help']);
  t.regex(
    out.replace(/\s+/g, ' '),
    /--resolv-conf <file> name servers [^)]*; an empty name: none\)/,
  );
});

const misuses: Record<string, [args: readonly string[], says: RegExp]> = {
  'no command': [[], /^Usage: reprise/],
  'a command that does not exist': [['aply'], /unknown command 'aply'\n\(Did you mean apply\?\)/],
  'an option that does not exist': [['get', 'pods', '--wach'], /unknown option '--wach'/],
  'an unknown kind': [['get', 'nodes'], /error: unknown kind of resource "nodes"/],
  'no manifest': [['apply'], /required option '-f, --filename <file>'/],
  'a manifest that is not there': [['validate', '-f', '/nonexistent.yaml'], /at: \/nonexistent/],
  'a namespace that is none': [
    ['apply', '-n', 'team/a', '-f', '/nonexistent.yaml'],
    /argument 'team\/a' is invalid\. It must consist of lower case letters/,
  ],
  'a duration without a unit': [
    ['wait', 'pod', 'web', '--for=delete', '--timeout=30'],
    /must be a duration such as/,
  ],
  'a duration out of bounds': [
    ['agent', '--max-container-restart-period', '10m'],
    /must be at most 5m0s/,
  ],
  'an unknown output format of objects': [
    ['get', 'configmaps', '-o', 'csv'],
    /unknown output format "csv"/,
  ],
  'an unknown output format': [['get', 'pods', '-o', 'csv'], /unknown output format "csv"/],
  'a name across all namespaces': [['get', 'secret', 'keys', '-A'], /nothing can be named across/],
  'a name with a selector': [['get', 'secret', 'keys', '-l', 'a=b'], /selector does not go with/],
  'nothing to delete': [['delete', 'pod'], /name the pods to delete/],
  'neither true nor false': [['delete', '--wait=maybe', 'pod', 'web'], /It must be true or false/],
  'a goal that is not understood': [['wait', 'pod', 'web', '--for=Ready'], /is not understood/],
};

for (const [title, [args, says]] of Object.entries(misuses)) {
  test(`${title}: exit code 2, and what to type instead`, async (t) => {
    const { code, err } = await reprise(args);
    t.is(code, 2);
    t.regex(err, says);
    t.notRegex(err, /^\s+at .*\.ts:/m);
  });
}

test('validate tells all faults of a manifest and exits 2', async (t) => {
  const input = manifest('Web').replace('image', 'imge');
  const { code, err } = await reprise(['validate', '-f', '-'], { input });
  t.is(code, 2);
  t.regex(err, /metadata\.name/);
  t.regex(err, /did you mean "image"/);
});

test('validate goes on to the next file', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'reprise-cli-'));
  const [bad, good] = [join(directory, 'bad.yaml'), join(directory, 'good.yaml')];
  writeFileSync(bad, manifest('Web'));
  writeFileSync(good, manifest('web'));
  const missing = join(directory, 'missing.yaml');
  for (const places of [
    ['-f', missing, '-f', bad, '-f', good],
    ['-f', directory],
  ]) {
    const { code, out, err } = await reprise(['validate', ...places]);
    t.is(code, 2);
    t.is(out, `${good}: pod default/web is valid`);
    t.true(err.includes(`at: ${bad}:5, metadata.name`));
    t.is(err.includes(`at: ${missing}`), places.includes(missing));
  }
  rmSync(directory, { recursive: true });
});

test('without an agent, a client says what, where and what to do', async (t) => {
  const { code, err } = await reprise(['get', 'pods', '--socket', '/nonexistent/api.sock']);
  t.is(code, 1);
  t.is(
    err,
    [
      'error: no agent is running',
      '   at: /nonexistent/api.sock',
      '  try: start one with "sudo reprise agent", or name the socket of one with --socket',
    ].join('\n'),
  );
});

test('the value of a global option is no command, whatever it is called', async (t) => {
  const { err } = await reprise(['--socket', '/nonexistent/run', '-n', 'bench', 'get', 'pods']);
  t.regex(err, /^error: no agent is running\n {3}at: \/nonexistent\/run\n/);
});

test('version works without an agent', async (t) => {
  const { code, out } = await reprise(['version', '--socket', '/nonexistent/api.sock']);
  t.is(code, 0);
  t.regex(out, /^reprise \d+\.\d+\.\d+ on Node\.js \d+/);
  t.regex(out, /^agent: none at \/nonexistent\/api\.sock$/m);
});

test('version tells its own when the agent does not answer', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-mute-'));
  const socket = join(folder, 'api.sock');
  const mute = createServer().listen(socket);
  await once(mute, 'listening');
  const { code, out, err } = await reprise(['version', '--socket', socket]);
  t.is(code, 1);
  t.regex(out, /^reprise \d+\.\d+\.\d+ on Node\.js \d+.*\nagent: does not answer$/);
  t.regex(err, /^error: timed out after 2s: the agent does not answer\n {3}at: \/.*\n {2}try: /);

  const { out: json } = await reprise(['version', '--socket', socket, '-o', 'json']);
  t.regex((JSON.parse(json) as { client: { version: string } }).client.version, /^\d/);
  mute.close();
  rmSync(folder, { recursive: true });
});

/** Root may open every socket. */
const nobody = process.geteuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
/** A checkout may be in a folder that is for root alone. */
const isForEverybody =
  execaSync(process.execPath, ['--check', main], { ...nobody, reject: false }).exitCode === 0;

(isForEverybody ? test : test.skip)(
  'version says that the agent is not for everybody',
  async (t) => {
    await using api = await serve();
    chmodSync(api.socket, 0);
    const { code, out, err } = await reprise(['version', '--socket', api.socket], nobody);
    t.is(code, 1);
    t.regex(out, /^reprise .*\nagent: permission denied at \/.*$/);
    t.regex(err, /^error: permission denied on the socket of the agent\n.*\n {2}try: use sudo$/);
  },
);

test('a pod is applied, shown, restarted and deleted', async (t) => {
  await using api = await serve();
  const at = ['--socket', api.socket];
  const apply = () => reprise([...at, 'apply', '-f', '-'], { input: manifest('web') });
  t.is((await apply()).out, 'pod/web created');
  t.is((await apply()).out, 'pod/web unchanged');

  const again = await reprise([...at, 'create', '-f', '-'], { input: manifest('web') });
  t.is(again.code, 1);
  t.regex(again.err, /already exists\n {2}try: /);

  const other = manifest('web').replace('test:1', 'test:2');
  const changed = await reprise([...at, 'apply', '-f', '-'], { input: other });
  t.is(changed.code, 1);
  t.regex(
    changed.err,
    /from a different manifest\n {3}at: pod default\/web, spec.containers\n {2}try: delete it first: reprise delete pod web/,
  );

  const labelled = manifest('web').replace('name: web', 'name: web\n  labels: { app: web }');
  const refused = await reprise([...at, 'apply', '-f', '-'], { input: labelled });
  t.is(refused.code, 1);
  t.regex(refused.err, /different manifest\n {3}at: pod default\/web, metadata.labels\n/);

  t.regex((await reprise([...at, 'get', 'pods'])).out, /^NAME +READY.*\nweb +0\/1/);
  t.is((await reprise([...at, 'get', 'pod/web', '-o', 'name'])).out, 'pod/web');
  const { out } = await reprise([...at, 'get', 'pod', 'web', '-o', 'json']);
  t.like(JSON.parse(out), { kind: 'Pod', metadata: { name: 'web' } });
  t.regex((await reprise([...at, 'get', 'pods', '-o', 'yaml'])).out, /^kind: List$/m);

  t.regex(
    (await reprise([...at, 'restart', 'pod', 'web'])).out,
    /restarts in place \(generation 1\)/,
  );
  t.is((await reprise([...at, 'delete', '--wait', 'pod', 'web'])).out, 'pod "web" deleted');
  const gone = await reprise([...at, 'get', 'pod', 'web']);
  t.is(gone.code, 1);
  t.is(
    gone.err,
    [
      'error: pods "web" not found',
      '   at: pod default/web',
      '  try: list the pods there are: reprise get pods -A',
    ].join('\n'),
  );
  t.is((await reprise([...at, 'delete', 'pod', 'web', '--ignore-not-found'])).code, 0);
  t.is((await reprise([...at, 'get', 'pods'])).err, 'No resources found in default namespace.');
});

test('apply and delete go on when something of a file fails, and tell of it in the end', async (t) => {
  await using api = await serve();
  const at = ['--socket', api.socket];
  const settings = '\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\n';
  const file = (web: string): string => `${web}---${manifest('db')}${settings}`;
  const input = file(manifest('web'));

  await reprise([...at, 'create', '-f', '-'], { input: manifest('web') });
  const other = manifest('web').replace('test:1', 'test:2');
  const applied = await reprise([...at, 'apply', '-f', '-'], { input: file(other) });
  t.is(applied.code, 1);
  t.is(applied.out, 'configmap/settings created\npod/db created');
  t.regex(applied.err, /^error: pod default\/web is there .*\n.*\n.*$/);

  const created = await reprise([...at, 'create', '-f', '-'], { input });
  t.is(created.code, 1);
  t.is(created.out, '');
  t.is(created.err.match(/^error: .* already exists$/gm)?.length, 3);

  await reprise([...at, 'delete', 'pod', 'web']);
  const deleted = await reprise([...at, 'delete', '-f', '-'], { input });
  t.is(deleted.code, 1);
  t.is(deleted.out, 'pod "db" deleted\nconfigmap "settings" deleted');
  t.regex(deleted.err, /^error: pods "web" not found\n.*\n.*$/);

  const again = await reprise([...at, 'delete', '-f', '-', '--ignore-not-found'], { input });
  t.deepEqual(again, { code: 0, out: '', err: '' });
});

test('apply leaves no pod alone that is being deleted', async (t) => {
  await using api = await serve();
  const apply = (input: string) => reprise(['--socket', api.socket, 'apply', '-f', '-'], { input });
  await apply(manifest('web'));
  // A pod that takes its time to go.
  api.backend.remove = () => undefined;
  await api.client.deletePod('default', 'web', { force: false }, new AbortController().signal);
  for (const image of ['test:1', 'test:2']) {
    const web = manifest('web').replace('test:1', image);
    const { code, out, err } = await apply(`${web}---${manifest(`db-${image.at(-1)}`)}`);
    t.is(code, 1);
    t.is(out, `pod/db-${image.at(-1)} created`);
    t.regex(
      err,
      /^error: pod default\/web is being deleted\n {3}at: pod default\/web, uid .*\n {2}try: .* reprise wait pod web -n default --for=delete$/,
    );
  }
});

test('get and describe show what was found, and tell what was not', async (t) => {
  await using api = await serve({ before: [aShownPod(), aShownPod({ name: 'db' })] });
  const at = ['--socket', api.socket];
  const secret = 'apiVersion: v1\nkind: Secret\nmetadata: { name: keys }\n';
  await reprise([...at, 'apply', '-f', '-'], { input: secret });
  api.backend.found.push(aDevice('0'), aDevice('1'));
  const cases: readonly (readonly [args: string[], out: RegExp, err: RegExp])[] = [
    [['get', 'pod', 'web', 'gone', 'db', '-o', 'name'], /^pod\/web\npod\/db$/, /pods "gone" not/],
    [['get', 'pod', 'gone', 'web', '-o', 'yaml'], /^kind: List$/m, /pods "gone" not found/],
    [
      ['get', '-n=default', 'secret', 'gone', 'keys', '-o=name'],
      /^secret\/keys$/,
      /secrets "gone" not/,
    ],
    [
      ['get', 'devices', 'acme.com/gpu=1', 'gone', '-o', 'json'],
      /^ +"name": "acme.com\/gpu=1",$/m,
      /devices "gone" not found/,
    ],
    [['describe', 'pod', 'gone', 'web'], /^Name: +web$/m, /pods "gone" not found/],
    [['get', 'pod', 'gone', 'lost', '-o', 'json'], /^$/, /"gone" not found\n.*\n.*\n\n.*"lost"/],
  ];
  for (const [args, out, err] of cases) {
    const said = await reprise([...at, ...args]);
    t.is(said.code, 1);
    t.regex(said.out, out);
    t.regex(said.err, err);
  }
});

test('events of all namespaces say of which each is', async (t) => {
  await using api = await serve();
  for (const namespace of ['default', 'team']) {
    const pod = api.backend.put(aShownPod({ metadata: { namespace } }), 'ADDED');
    api.backend.tell(pod, { reason: 'Started', message: 'Container started' });
  }
  const args = ['--socket', api.socket, 'events'];
  const table = [
    /^NAMESPACE +LAST SEEN +TYPE +REASON +OBJECT /,
    /^default +\S+ +Normal +Started +pod\/web /,
    /^team +\S+ +Normal +Started +pod\/web /,
  ];
  const listed = (await reprise([...args, '-A'])).out.split('\n');
  const watched: string[] = [];
  const watching = execa(process.execPath, [main, ...args, '-A', '-w'], {
    reject: false,
    timeout: patienceMs,
  });
  for await (const line of watching.iterable()) {
    if (watched.push(line) === table.length) watching.kill('SIGINT');
  }
  for (const lines of [listed, watched]) {
    t.is(lines.length, table.length);
    for (const [index, line] of lines.entries()) t.regex(line, table[index] ?? /^$/);
  }
  t.regex((await reprise(args)).out, /^LAST SEEN .*\n\S+ +Normal .*$/);
});

test('get goes with a path through the list, or through each', async (t) => {
  await using api = await serve({ before: [aShownPod(), aShownPod({ name: 'db' })] });
  const get = async (...args: string[]): Promise<string> =>
    (await reprise(['--socket', api.socket, 'get', ...args])).out;
  t.is(await get('pods', '-o=jsonpath={.metadata.name}'), 'db\nweb');
  t.is(await get('pods', '-o=jsonpath={.items[*].metadata.name}'), 'db web');
  t.is(await get('pod', 'db', '-o=jsonpath={.metadata.name}'), 'db');
});

test('wait ends when the condition holds, or says that it does not', async (t) => {
  await using api = await serve({ before: [aShownPod({ status: { phase: 'Pending' } })] });
  const goal = '--for=jsonpath={.status.phase}=Running';
  const wait = ['--socket', api.socket, 'wait', 'pod', 'web', goal];
  const late = await reprise([...wait, '--timeout=300ms']);
  t.is(late.code, 1);
  t.regex(late.err, /^error: timed out after 300ms/);

  const waiting = reprise([...wait, '--timeout=10m']);
  api.backend.setStatus(aShownPod(), { phase: 'Running' });
  t.like(await waiting, { code: 0, out: 'pod/web condition met' });
});

test('wait without any time looks once', async (t) => {
  await using api = await serve({ before: [aShownPod()] });
  const wait = (name: string, goal: string) =>
    reprise(['--socket', api.socket, 'wait', `pod/${name}`, `--for=${goal}`, '--timeout', '0']);
  const isMet = (name: string): Said => ({ code: 0, out: `pod/${name} condition met`, err: '' });
  t.deepEqual(await wait('web', 'jsonpath={.status.phase}=Running'), isMet('web'));
  t.deepEqual(await wait('web', 'create'), isMet('web'));
  t.deepEqual(await wait('gone', 'delete'), isMet('gone'));
  for (const goal of ['jsonpath={.status.phase}=Failed', 'delete']) {
    const { code, err } = await wait('web', goal);
    t.is(code, 1);
    t.regex(err, /^error: --for=.* does not hold yet\n {3}at: pod default\/web\n {2}try: /);
  }
  t.regex((await wait('gone', 'create')).err, /^error: pods "gone" not found/);
});

test('durations are shown as they are typed', async (t) => {
  const defaults: Record<string, string> = { wait: '30s', restart: '5m0s', debug: '5m0s' };
  for (const [command, duration] of Object.entries(defaults)) {
    const { out } = await reprise([command, '--help']);
    t.regex(
      out.replace(/\s+/g, ' '),
      new RegExp(`--timeout <duration> [^)]*default: ${duration}\\)`),
    );
  }
});

test('wait for several tells of each that failed, and ends', async (t) => {
  const before = [aShownPod(), aShownPod({ name: 'slow', status: { phase: 'Pending' } })];
  await using api = await serve({ before });
  const pods = ['pod', 'missing', 'web', 'slow'];
  const goal = ['--for=jsonpath={.status.phase}=Running', '--timeout=1s'];
  const { code, out, err } = await reprise(['--socket', api.socket, 'wait', ...pods, ...goal]);
  t.is(code, 1);
  t.is(out, 'pod/web condition met');
  t.regex(
    err,
    /^error: pods "missing" not found\n.*\n.*\n\nerror: timed out after 1s: .*\n {3}at: pod default\/slow\n.*$/,
  );
});

/** An agent with a pod of two containers, of which the first one has a log that goes on and on. */
async function serveLog(): Promise<Served> {
  const readLog: ReadLog = async function* (file, { followUntil }) {
    yield Buffer.from(`${file}\n`);
    await followUntil;
  };
  const pod = aShownPod({ main: [status('main', running()), status('other', running())] });
  const api = await serve({ readLog, before: [pod] });
  const finished = (): Promise<void> => new Promise(() => undefined);
  api.backend.logs.set('main', { directory: '/logs', current: 0, finished });
  return api;
}

test('logs of all containers fail only if there is none', async (t) => {
  await using api = await serveLog();
  const logs = ['--socket', api.socket, 'logs', 'web', '--all-containers=true'];
  t.deepEqual(await reprise(logs), {
    code: 0,
    out: '/logs/main/0.log',
    err: 'note: container other of pod web has no logs',
  });

  api.backend.logs.clear();
  const { code, err } = await reprise(logs);
  t.is(code, 1);
  t.is(err.match(/^error: container \w+ of pod web has no logs$/gm)?.length, 2);
});

test('logs of all containers fail if the agent goes away meanwhile', async (t) => {
  const api = await serveLog();
  const args = [main, '--socket', api.socket, 'logs', 'web', '--all-containers', '-f'];
  const following = execa(process.execPath, args, { reject: false, timeout: patienceMs });
  await once(following.stdout, 'data');
  await api[Symbol.asyncDispose]();
  const { exitCode, stderr } = await following;
  t.is(exitCode, 1);
  t.regex(stderr, /^error: the connection to the agent broke: /m);
});

test('get -w shows every state, one JSON object a line', async (t) => {
  const web = aShownPod({ main: [status('main', running())] });
  await using api = await serve({ before: [web] });
  const args = [main, '--socket', api.socket, 'get', 'pod', 'web', '-w', '-o', 'json'];
  const watching = execa(process.execPath, args, { reject: false, timeout: patienceMs });
  const phases: string[] = [];
  for await (const line of watching.iterable()) {
    const { phase } = (JSON.parse(line) as typeof web).status;
    phases.push(phase);
    if (phases.length === 1) {
      for (const next of ['Pending', 'Running', 'Failed'] as const) {
        api.backend.setStatus(web, { phase: next });
      }
    }
    // Not a break, which would wait until it ends by itself.
    if (phase === 'Failed') watching.kill('SIGINT');
  }
  t.deepEqual(phases, ['Running', 'Pending', 'Running', 'Failed']);
});

test('run is a client of the agent that is there: tells, removes, exits like the pod', async (t) => {
  await using api = await serve();
  const args = [main, '--socket', api.socket, 'run', '-f', '-', '-o', 'json'];
  const run = async (phase: 'Succeeded' | 'Failed') => {
    const running = execa(process.execPath, args, {
      input: manifest('web'),
      reject: false,
      timeout: patienceMs,
    });
    const told: string[] = [];
    for await (const line of running.iterable()) {
      const { what } = JSON.parse(line) as { what: string };
      told.push(what);
      const pod = api.backend.get('default', 'web');
      if (told.length === 1 && pod) {
        const state = { terminated: { exitCode: phase === 'Failed' ? 7 : 0, reason: 'X' } };
        api.backend.setStatus(pod, { phase, containerStatuses: [status('main', state)] });
      }
    }
    const { exitCode } = await running;
    return { exitCode, told };
  };
  t.deepEqual(await run('Succeeded'), {
    exitCode: 0,
    told: ['accepted', 'phase', 'exited', 'phase'],
  });
  t.deepEqual(await run('Failed'), {
    exitCode: 1,
    told: ['accepted', 'phase', 'exited', 'phase', 'failure'],
  });
  t.deepEqual(api.backend.list(), []);
});

for (const command of ['run', 'rehearse']) {
  test(`${command} does nothing with options that the agent that is there would not heed`, async (t) => {
    await using api = await serve();
    const at = ['--socket', api.socket, command, '-f', '-'];
    const options = ['--data-dir', '/tmp/lab', '--containerd', '/nonexistent.sock'];
    const { code, err } = await reprise([...at, ...options], { input: manifest('web') });
    t.is(code, 2);
    t.is(
      err,
      [
        'error: an agent listens already, and has its own --containerd, --data-dir',
        `   at: ${api.socket}`,
        '  try: leave --containerd, --data-dir out, or give another --socket to run the pod without that agent',
      ].join('\n'),
    );
    t.deepEqual(api.backend.list(), []);
  });
}

/** Runs it with output redirected as a shell does it. */
async function redirected(redirection: string, args: readonly string[], input = ''): Promise<Said> {
  const script = `exec "$0" "$@" ${redirection}`;
  const { exitCode, stdout, stderr } = await execa(
    'sh',
    ['-c', script, process.execPath, main, ...args],
    { input, reject: false, timeout: patienceMs },
  );
  return { code: exitCode, out: stdout, err: stderr };
}

test('run sees to its pod when what it says cannot be written', async (t) => {
  await using api = await serve();
  const args = ['--socket', api.socket, 'run', '-f', '-'];
  const running = redirected('> /dev/full 2>&1', args, manifest('web'));
  const watching = new AbortController();
  for await (const { object } of await api.client.watchPods({}, watching.signal)) {
    api.backend.setStatus(object, { phase: 'Succeeded' });
    watching.abort();
  }
  t.is((await running).code, 0);
  t.deepEqual(api.backend.list(), []);
});

test('bench goes on to its end when nobody reads how far it is', async (t) => {
  const args = [main, 'bench', '--containerd', '/nonexistent/containerd.sock'];
  const measuring = execa(process.execPath, args, { reject: false, timeout: patienceMs });
  measuring.stderr.destroy();
  // containerd is not there; or, before that, it is not root who asks.
  t.is((await measuring).exitCode, process.geteuid?.() === 0 ? 3 : 1);
});

test('what only shows something fails when that cannot be written', async (t) => {
  await using api = await serve({ before: [aShownPod()] });
  const { code, err } = await redirected('> /dev/full', ['--socket', api.socket, 'get', 'pods']);
  t.is(code, 1);
  t.regex(err, /^error: the output cannot be written: ENOSPC: no space left on device/);
  t.notRegex(err, /^\s+at .*\.ts:/m);
});

test('an interrupted run deletes its pod, the second time by force', async (t) => {
  await using api = await serve();
  // A pod that takes its time to go.
  const remove = api.backend.remove.bind(api.backend);
  api.backend.remove = () => undefined;
  const args = [main, '--socket', api.socket, 'run', '-f', '-', '-o', 'json'];
  const running = execa(process.execPath, args, {
    input: manifest('web'),
    reject: false,
    timeout: patienceMs,
    // Else SIGKILL follows the first SIGTERM after some seconds.
    forceKillAfterDelay: false,
  });
  // Gone only when both requests have come.
  const asked = Promise.withResolvers<undefined>();
  const ask = api.backend.delete.bind(api.backend);
  api.backend.delete = (...request) => {
    const answer = ask(...request);
    if (api.backend.calls.length === 2) asked.resolve(undefined);
    return answer;
  };
  const removal = asked.promise.then(() => remove('default', 'web'));
  for await (const line of running.iterable()) {
    const { what } = JSON.parse(line) as { what: string };
    if (what === 'phase' || what === 'deleting') running.kill('SIGTERM');
  }
  await removal;
  t.deepEqual(api.backend.calls, [
    'delete default/web {"force":false}',
    'delete default/web {"force":true}',
  ]);
  t.is((await running).exitCode, 143);
});

test('files are read while calls for others are stuck', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-stuck-'));
  const pipes = ['1', '2', '3', '4', '5'].map((name) => join(folder, name));
  execaSync('mkfifo', pipes);
  // Opening a pipe waits for somebody who opens its other end.
  const script = `
    import { open, readFile } from 'node:fs';
    await import(${JSON.stringify(pathToFileURL(main).href)});
    for (const pipe of ${JSON.stringify(pipes)}) open(pipe, () => {});
    readFile(${JSON.stringify(main)}, () => process.stderr.write('read'));
  `;
  const file = join(folder, 'stuck.mjs');
  writeFileSync(file, script);
  const stuck = execa(process.execPath, [file, 'agent', '--help'], {
    ...{ reject: false, extendEnv: false, timeout: patienceMs, killSignal: 'SIGKILL' },
    env: { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1' },
  });
  // Threads that are stuck do not let it end by itself.
  stuck.stderr.once('data', () => stuck.kill('SIGKILL'));
  t.is((await stuck).stderr, 'read');
  rmSync(folder, { recursive: true });
});
