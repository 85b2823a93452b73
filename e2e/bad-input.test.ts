// Whatever is wrong is told in three parts: what, where, and what to try next. The exit code tells
// whose turn it is, and nothing is left behind.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { execa } from 'execa';
import { foreground } from './foreground.ts';
import { container, image, pod } from './manifests.ts';
import type { ManifestOf } from './manifests.ts';
import type { Place } from './node.ts';
import { isReady, program, statusOf, until } from './node.ts';
import { sharedNode } from './shared.ts';
import { testInTurn } from './turns.ts';

const test = testInTurn(5);
// No agent: each test has its own, or none.
const node = sharedNode(() => Promise.resolve());

async function place(name: string): Promise<Place> {
  return await node().beside(name);
}

const sound = pod('sound', [], [container('main')]);

const head = `apiVersion: v1
kind: Pod
metadata:
  name: web
`;

const rule = '    - {action: RestartAllContainers, exitCodes: {operator: In, values: [1]}}\n';

/** Small, and nine to the power of thirty values when they are all written out. */
const bomb = Array.from(
  { length: 30 },
  (_, i) =>
    `a${i}: &a${i} [${Array(9)
      .fill(i === 0 ? 'x' : `*a${i - 1}`)
      .join(',')}]`,
).join('\n');

/** A manifest, and what is said of it; \`pod.yaml\` stands for its file. */
const manifests: Readonly<Record<string, readonly [text: string, says: string]>> = {
  'an empty file': [
    '',
    `error: the manifest is empty
   at: pod.yaml
  try: put a Pod into it`,
  ],
  'YAML that cannot be read': [
    `${head}spec:\n  containers: [\n`,
    `error: the YAML cannot be read: Flow sequence in block collection must be sufficiently indented and end with a ]
   at: pod.yaml:7
  try: check the indentation of this line and the one before`,
  ],
  tabs: [
    'apiVersion: v1\nkind: Pod\nmetadata:\n\tname: web\n',
    `error: the YAML cannot be read: Tabs are not allowed as indentation
   at: pod.yaml:4
  try: indent with spaces`,
  ],
  'another kind': [
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n',
    `error: Unsupported value: "Deployment": supported values: "Pod"
   at: pod.yaml:2, kind
  try: make a Pod of spec.template of this Deployment: add "apiVersion: v1", "kind: Pod" and a metadata.name to it`,
  ],
  'two pods': [
    `${head}spec: {containers: [{name: a, image: b}]}\n---\n${head}spec: {containers: [{name: a, image: b}]}`,
    `error: there is more than one pod
   at: pod.yaml:7
  try: hand over one at a time`,
  ],
  'a misspelled field': [
    `${head}spec:
  containers:
  - name: main
    image: ${image}
    comand: [sh]
`,
    `error: unknown field "comand"
   at: pod.yaml:9, spec.containers[0].comand of container "main"
  try: did you mean "command"?`,
  ],
  'a rule without a policy of the container': [
    `${head}spec:
  restartPolicy: Never
  containers:
  - name: main
    image: ${image}
    restartPolicyRules:
${rule}`,
    `error: Required value: restartPolicyRules needs a restartPolicy on the same container
   at: pod.yaml:10, spec.containers[0].restartPolicy of container "main"
  try: add "restartPolicy: Never" to the container`,
  ],
  'too many rules': [
    `${head}spec:
  containers:
  - name: main
    image: ${image}
    restartPolicy: Never
    restartPolicyRules:
${rule.repeat(21)}`,
    `error: Too many: 21: must have at most 20 items
   at: pod.yaml:10, spec.containers[0].restartPolicyRules of container "main"
  try: put the exit codes of one action into one rule`,
  ],
  'a field that is not honoured': [
    `${head}spec:
  containers: [{name: main, image: "${image}"}]
  volumes:
  - name: data
    nfs: {server: files, path: /data}
`,
    `error: Forbidden: storage of a network or a cloud is not attached; mount it on the node and use hostPath
   at: pod.yaml:9, spec.volumes[0].nfs
  try: leave it out`,
  ],
  'several faults at once': [
    `apiVersion: v1
kind: Pod
metadata:
  name: Web
spec:
  restartPolicy: Sometimes
  containers:
  - name: main
    image: ${image}
    comand: [sh]
  - name: main
    image: ${image}
    volumeMounts:
    - {name: data, mountPath: /data}
`,
    `error: pod.yaml has 5 faults

error: Invalid value: "Web": must consist of lower case letters, digits, '-' and '.', start and end with a letter or digit, and have at most 253 characters
   at: pod.yaml:4, metadata.name
  try: did you mean "web"?

error: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"
   at: pod.yaml:6, spec.restartPolicy
  try: use one of the supported values, or leave the field out

error: unknown field "comand"
   at: pod.yaml:10, spec.containers[0].comand of container "main"
  try: did you mean "command"?

error: Duplicate value: "main"
   at: pod.yaml:11, spec.containers[1].name of container "main"
  try: give every container, init containers included, a name of its own

error: Not found: "data"
   at: pod.yaml:14, spec.containers[1].volumeMounts[0].name of container "main"
  try: add a volume of this name to spec.volumes`,
  ],
  'aliases that multiply': [
    bomb,
    `error: the aliases of the manifest multiply into too much data
   at: pod.yaml:1
  try: write the values out instead of using anchors and aliases`,
  ],
  'a character that ends a text for the kernel': [
    `${head}spec:
  containers:
  - name: main
    image: ${image}
    env: [{name: NAME, value: "a\\0b"}]
`,
    `error: the text "a\\u0000b" holds a NUL character
   at: pod.yaml:9, spec.containers[0].env[0].value
  try: remove it`,
  ],
  '10,000 containers': [
    `${head}spec:
  containers:
${Array.from({ length: 10_000 }, (_, i) => `  - {name: c${i}, image: i}\n`).join('')}`,
    `error: Too many: 10000: must have at most 1000 items
   at: pod.yaml:6, spec.containers
  try: split the pod into several`,
  ],
  'a huge file': [
    `${head}# ${'x'.repeat(11 * 1024 * 1024)}`,
    `error: the manifest is larger than 10 MiB
   at: pod.yaml
  try: split it, or move data into volumes`,
  ],
};

for (const [title, [text, says]] of Object.entries(manifests)) {
  test(`${title}: exit code 2, nothing is begun`, async (t) => {
    const here = await place(`manifest-${Object.keys(manifests).indexOf(title)}`);
    const file = await here.manifest(text);
    const { code, out, err } = await foreground(here, '-f', file).end();
    t.is(err.replaceAll(file, 'pod.yaml'), says);
    t.is(code, 2);
    t.is(out, '');
    t.false(fs.existsSync(here.dataDir));
  });
}

for (const [title, file, said] of [
  [
    'a file that is not there',
    '/nonexistent/pod.yaml',
    `error: cannot read the manifest: no such file or directory
   at: /nonexistent/pod.yaml
  try: name a file with a Pod, in YAML or JSON, or a folder of them; - is standard input`,
  ],
  [
    'a folder without manifests',
    '/proc/self/net',
    `error: there is no manifest in this folder
   at: /proc/self/net
  try: put files into it that end in .yaml, .yml or .json`,
  ],
] as const) {
  test(`${title}: exit code 2`, async (t) => {
    const here = await place(title.replaceAll(' ', '-'));
    const { code, err } = await foreground(here, '-f', file).end();
    t.is(err, said);
    t.is(code, 2);
  });
}

test('an agent refuses a bad manifest as well', async (t) => {
  const here = await place('refuses');
  await here.agent();
  const file = await here.manifest(`${head}spec: {}\n`);
  for (const command of ['apply', 'create', 'run']) {
    const { exitCode, all } = await here.reprise([command, '-f', file]);
    t.is(exitCode, 2);
    t.regex(all, /^error: .*\n {3}at: .*manifest-0\.yaml:5, spec\.containers/);
  }
  t.is(await here.ok('get', 'pods', '-o', 'name'), 'No resources found in default namespace.');
  t.deepEqual(await here.traces(), []);
});

/** What may be wrong with containerd's socket: how it is made so, and what is said. */
const sockets: Readonly<
  Record<string, readonly [make: (socket: string) => Promise<unknown>, why: string, next: string]>
> = {
  'there is no socket': [
    () => Promise.resolve(),
    'there is no such socket',
    'start containerd, or name its socket with --containerd or CONTAINERD_ADDRESS',
  ],
  'nobody listens': [
    async (socket) => {
      const script = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
      await execa(process.execPath, ['-e', script, socket], { reject: false });
    },
    'nobody listens on the socket',
    'start containerd: the socket is left over from one that has ended',
  ],
  'it is not a socket': [
    (socket) => fs.promises.writeFile(socket, ''),
    'there is something that is not a socket',
    'name the socket of containerd with --containerd',
  ],
  'somebody else listens': [
    async (socket) => {
      const server = net.createServer((connection) => connection.destroy());
      server.listen(socket).unref();
      await new Promise((resolve) => server.once('listening', resolve));
    },
    'it listens, but does not answer calls',
    'wait until containerd has started; otherwise look at its log',
  ],
  'it is silent': [
    async (socket) => {
      const server = net.createServer(() => undefined);
      server.listen(socket).unref();
      await new Promise((resolve) => server.once('listening', resolve));
    },
    'it listens, but does not answer calls',
    'wait until containerd has started; otherwise look at its log',
  ],
};

for (const [title, [make, why, next]] of Object.entries(sockets)) {
  test(`containerd is unreachable, ${title}: exit code 3`, async (t) => {
    const here = await place(title.replaceAll(' ', '-'));
    const socket = path.join(here.dir, 'containerd.sock');
    await make(socket);
    const args = ['--containerd', socket, '-f', await here.manifest(sound)];
    const { code, out, err } = await foreground(here, ...args).end();
    t.is(
      err,
      `error: containerd is not reachable: ${why}
   at: ${socket}
  try: ${next}`,
    );
    t.is(code, 3);
    t.is(out, '');
    t.deepEqual(await here.traces(), []);
    t.false(fs.existsSync(here.socket), 'it does not listen itself');
  });
}

/** A place that also others than root can look into. */
async function publicPlace(name: string): Promise<Place> {
  const here = await place(name);
  fs.chmodSync(path.dirname(here.dir), 0o755);
  return here;
}

async function asNobody(here: Place, ...args: string[]): Promise<{ code?: number; said: string }> {
  const nobody = ['--reuid=nobody', '--regid=nogroup', '--clear-groups'];
  const { exitCode, all } = await execa('setpriv', [...nobody, program, ...args], {
    env: here.env,
    all: true,
    reject: false,
  });
  return { code: exitCode, said: all };
}

test('not root: exit code 1, and nothing is touched', async (t) => {
  const here = await publicPlace('nobody');
  const file = await here.manifest(sound);
  for (const args of [['run', '-f', file], ['agent']]) {
    const { code, said } = await asNobody(here, ...args);
    t.is(
      said,
      `error: an agent has to run as root
   at: user 65534
  try: use sudo (sudo -E keeps your environment)`,
    );
    t.is(code, 1);
  }
  t.false(fs.existsSync(here.dataDir));
  t.is((await asNobody(here, 'validate', '-f', file)).code, 0, 'to judge a manifest anybody may');
});

test("an agent's socket is for root alone", async (t) => {
  const here = await publicPlace('private');
  await here.agent();
  t.is(fs.statSync(here.socket).mode & 0o777, 0o600);
  const file = await here.manifest(sound);
  const answers = {
    get: await asNobody(here, 'get', 'pods'),
    apply: await asNobody(here, 'apply', '-f', file),
    delete: await asNobody(here, 'delete', 'pod', 'sound'),
  };
  for (const { code, said } of Object.values(answers)) {
    t.is(
      said,
      `error: permission denied on the socket of the agent
   at: ${here.socket}
  try: use sudo`,
    );
    t.is(code, 1);
  }
  t.is((await asNobody(here, 'run', '-f', file)).code, 1);
  t.deepEqual(await here.traces(), []);
});

for (const [title, flags, says] of [
  [
    'a data directory that is a file',
    (here: Place) => ['--data-dir', path.join(here.dir, 'manifest-0.yaml')],
    (
      here: Place,
    ) => `error: the data directory cannot be made: EEXIST: file already exists, mkdir '${here.dir}/manifest-0.yaml'
   at: ${here.dir}/manifest-0.yaml
  try: choose another --data-dir`,
  ],
  [
    'a data directory where nobody can make one',
    () => ['--data-dir', '/proc/reprise/data'],
    () => `error: the data directory cannot be made: ENOENT: no such file or directory, mkdir '/proc/reprise'
   at: /proc/reprise/data
  try: choose another --data-dir`,
  ],
  [
    'a socket whose path is too long',
    (here: Place) => ['--socket', path.join(here.dir, 'x'.repeat(107))],
    (here: Place) => `error: the path of the socket has more than 107 bytes
   at: ${here.dir}/${'x'.repeat(107)}
  try: choose a shorter --socket`,
  ],
  [
    'a socket where something else is',
    (here: Place) => ['--socket', path.join(here.dir, 'manifest-0.yaml')],
    (here: Place) => `error: there is something that is not a socket
   at: ${here.dir}/manifest-0.yaml
  try: move it away, or choose another --socket`,
  ],
] as const) {
  test(`${title}: exit code 1`, async (t) => {
    const here = await place(title.replaceAll(' ', '-'));
    const file = await here.manifest(sound);
    const { code, err } = await foreground(here, '-f', file, ...flags(here)).end();
    t.is(err, says(here));
    t.is(code, 1);
    t.deepEqual(await here.traces(), []);
  });
}

for (const [title, policy, name, waiting, event] of [
  [
    'an image that may not be pulled',
    'Never',
    'localhost/reprise/none:1',
    {
      reason: 'ErrImageNeverPull',
      message:
        'Container image "localhost/reprise/none:1" is not present with pull policy of Never',
    },
    'ErrImageNeverPull: Container image "localhost/reprise/none:1" is not present',
  ],
  [
    'an image that is nowhere',
    'IfNotPresent',
    // Nobody listens on port 1.
    'localhost:1/none:1',
    { reason: 'ErrImagePull' },
    'Failed: Failed to pull image "localhost:1/none:1": ',
  ],
  [
    'an image with an impossible name',
    'IfNotPresent',
    'localhost/Reprise:1',
    { reason: 'InvalidImageName' },
    'InspectFailed: ',
  ],
] as const) {
  test(`${title}: the pod waits, says why, and can be deleted`, async (t) => {
    const here = await place(title.replaceAll(' ', '-'));
    const main = container('main', undefined, { image: name, imagePullPolicy: policy });
    const run = foreground(here, '-f', await here.manifest(pod('no-image', [], [main])));
    const told = await run.hears(new RegExp(`main +${waiting.reason}: `));
    t.true(told.includes(name));
    const shown = await run.podThat('no-image', 'waits for its image', (one) =>
      /^(Err|Invalid)Image/.test(statusOf(one, 'main').state.waiting?.reason ?? ''),
    );
    t.is(shown.status.phase, 'Pending');
    t.like(statusOf(shown, 'main').state.waiting, waiting);
    const events = await here.events('no-image');
    const cause = events.find((one) => one.startsWith(`Warning ${event}`));
    t.true(cause?.includes(name), events.join('\n'));
    t.true(events.includes(`Warning Failed: Error: ${waiting.reason}`));
    const row = new RegExp(`\\nno-image +0/1 +(${waiting.reason}|ImagePullBackOff) +0 `);
    // Not while it is just trying again.
    await until('the table says why', async () => row.test(await here.ok('get', 'pods')));
    run.send('SIGINT');
    t.is((await run.end()).code, 130);
    t.deepEqual(await here.traces(), []);
  });
}

test('a command that does not exist: StartError with 128, and the pod has failed', async (t) => {
  const here = await place('no-command');
  const main = container('main', undefined, { command: ['/no/such/command'] });
  const { code, out, err } = await foreground(
    here,
    ...['-f', await here.manifest(pod('no-command', [], [main])), '-o', 'json'],
  ).end();
  t.is(err, '');
  t.is(code, 1);
  const lines = out.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  const exit = lines.find(({ what }) => what === 'exited');
  t.like(exit, { container: 'main', exitCode: 128, reason: 'StartError' });
  t.regex(String(exit?.message), /\/no\/such\/command/);
  t.like(
    lines.findLast(({ what }) => what === 'phase'),
    { phase: 'Failed' },
  );
  t.deepEqual(await here.traces(), []);
});

test('a command that does not exist, again and again: RunContainerError, then CrashLoopBackOff', async (t) => {
  const here = await place('never-a-command');
  await here.agent();
  const main = container('main', undefined, { command: ['/no/such/command'] });
  await here.apply(pod('never', [], [main], { restartPolicy: 'Always' }));
  const shown = await here.podThat(
    'never',
    'could not be started',
    (one) => statusOf(one, 'main').state.waiting?.reason === 'RunContainerError',
  );
  const { state, lastState } = statusOf(shown, 'main');
  t.regex(state.waiting?.message ?? '', /\/no\/such\/command/);
  t.like(lastState.terminated, { exitCode: 128, reason: 'StartError' });
  t.is(lastState.terminated?.message, state.waiting?.message);
  const waits = await here.podThat(
    'never',
    'waits for its next try',
    (one) => statusOf(one, 'main').state.waiting?.reason === 'CrashLoopBackOff',
  );
  t.like(statusOf(waits, 'main').lastState.terminated, { exitCode: 128, reason: 'StartError' });
  await here.removed('never');
  t.deepEqual(await here.traces(), []);
});

function withHostPath(name: string, place: string, type: string): ManifestOf {
  return pod(
    name,
    [],
    [
      container('main', undefined, {
        volumeMounts: [
          { name: 'shared', mountPath: '/shared' },
          { name: 'host', mountPath: '/host' },
        ],
      }),
    ],
    {
      volumes: [
        { name: 'shared', emptyDir: {} },
        { name: 'host', hostPath: { path: place, type } },
      ],
    },
  );
}

test('a hostPath of the wrong type: the pod waits with FailedMount, and starts when it is right', async (t) => {
  const here = await place('wrong-type');
  const host = path.join(here.dir, 'host');
  fs.writeFileSync(host, '');
  await here.agent();
  await here.apply(withHostPath('wrong-type', host, 'Directory'));
  const events = here.reprise(['events', 'wrong-type', '-w', '-o', 'json'], { buffer: false });
  const mounts: { type: string; message: string }[] = [];
  for await (const line of events.iterable()) {
    const event = JSON.parse(line) as { reason: string; message: string; type: string };
    if (event.reason !== 'FailedMount') continue;
    mounts.push(event);
    events.kill('SIGINT');
  }
  t.is(mounts[0]?.type, 'Warning');
  t.is(
    mounts[0]?.message,
    'Unable to attach or mount volumes: volume "host" needs a directory, but there is a file',
  );
  t.is((await here.pod('wrong-type')).status.phase, 'Pending');
  fs.rmSync(host);
  fs.mkdirSync(host);
  await here.podThat('wrong-type', 'is ready', isReady);
  await here.ok('delete', 'pod', 'wrong-type');
  t.deepEqual(await here.traces(), []);
  t.true(fs.existsSync(host), 'what belongs to the host stays');
});

test('a pod that waits for its volume can be deleted', async (t) => {
  const here = await place('no-volume');
  const manifest = withHostPath('no-volume', path.join(here.dir, 'host'), 'Socket');
  const run = foreground(here, '-f', await here.manifest(manifest));
  await run.hears(
    /\(pod\) +FailedMount: Unable to attach or mount volumes: volume "host" needs a socket, but there is nothing/,
  );
  run.send('SIGTERM');
  t.is((await run.end()).code, 143);
  t.deepEqual(await here.traces(), []);
});
