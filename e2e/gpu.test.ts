// Devices: given, exclusive, the same through every restart, and nothing starts while one is in use.
// Seen from inside containers; on whatever containerd there is, by CDI or by our own hand.
import fs from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { container, initContainer, pod, restartAllOn } from './manifests.ts';
import type { ManifestOf } from './manifests.ts';
import type { TestNode } from './node.ts';
import { generationOf, isReady, startNode, until } from './node.ts';
import { blink, napping } from './pace.ts';
import { StandIns } from './stand-ins.ts';
import { testInTurn } from './turns.ts';

const test = testInTurn(2);

const kind = 'acme.test/gpu';

const restarts = { restartPolicy: 'Never', ...restartAllOn(88) };

/** Says what it sees of devices, then obeys. */
const looks = `
say() { echo "$NAME $*" >> /shared/story; }
tell() {
  for node in /dev/nvidia*; do
    [ -c $node ] || continue
    if (exec 3<$node) 2>/dev/null; then opens=opens; else opens=refused; fi
    say "$node $(stat -c '%t:%T %a %u:%g' $node) $opens"
  done
}
tell
`;
const obeys = `
say ready
${napping}
while [ ! -e /shared/exit-$NAME ]; do nap; done
code=$(cat /shared/exit-$NAME); rm /shared/exit-$NAME
exit $code
`;

const wants = (count: number, resource = kind) => ({
  resources: { limits: { [resource]: String(count) } },
});

function gpuPod(name: string, count: number, more: Record<string, unknown> = {}): ManifestOf {
  return pod(
    name,
    [],
    [container('main', `${looks}${obeys}`, { ...wants(count), ...restarts, ...more })],
  );
}

interface Lab extends AsyncDisposable {
  readonly node: TestNode;
  readonly standIns: StandIns;
}

async function aLab(count: number): Promise<Lab> {
  const node = await startNode();
  const dir = path.join(node.dir, 'stand-ins');
  const standIns = await StandIns.make(dir, node.containerd.cdiDir, count);
  return { node, standIns, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

const isWaiting = (shown: V1Pod): boolean => conditionOf(shown, 'PodScheduled')?.status === 'False';

function conditionOf({ status }: V1Pod, type: string) {
  return status.conditions.find((one) => one.type === type);
}

async function healthOf(node: TestNode, device: string): Promise<string> {
  return await node.ok('get', 'device', device, '-o', 'jsonpath={.status.health}');
}

test('a container can open its devices and no others, and has all that a specification says', async (t) => {
  await using lab = await aLab(3);
  const { node, standIns } = lab;
  const lib = path.join(standIns.dir, 'lib');
  await fs.mkdir(lib);
  await fs.writeFile(path.join(lib, 'version'), 'stand-in 1\n');
  await standIns.gpus(kind, {
    additionalGids: [4242],
    mounts: [{ hostPath: lib, containerPath: '/opt/driver', options: ['ro', 'bind'] }],
  });
  await standIns.spec(
    'read.yaml',
    `
cdiVersion: 0.5.0
kind: acme.test/reader
devices:
- name: a
  containerEdits:
    deviceNodes:
    - { path: /dev/nvidia-read, hostPath: ${standIns.devices[2]?.node ?? ''}, permissions: r, uid: 7, gid: 8, fileMode: 416 }
`,
  );
  await node.agent(...standIns.options);
  const [, other] = standIns.devices;
  await node.apply(
    pod(
      'one',
      [initContainer('setup', `${looks}exit 0`, wants(1))],
      [
        container(
          'main',
          `${looks}
say "$STAND_IN $(cat /opt/driver/version) $(grep -c ' /opt/driver [a-z0-9]* ro' /proc/mounts)"
say "$(id -G | tr ' ' '\\n' | grep 4242)"
mknod /tmp/other c 10 ${other?.minor ?? 0} && (exec 3</tmp/other) 2>/dev/null && say "opened another"
(exec 3</dev/nvidia-read) 2>/dev/null && say "reads"
(exec 3>/dev/nvidia-read) 2>/dev/null && say "writes"
${obeys}`,
          { resources: { limits: { [kind]: 1, 'acme.test/reader': 1 } }, ...restarts },
        ),
        container('bystander', `${looks}${obeys}`),
      ],
    ),
  );
  const shown = await node.podThat('one', 'is ready', isReady);
  const [first, , reader] = standIns.devices;
  const isDevice = (line: string): boolean => / \/dev\/nvidia\S* \S+:/.test(line);
  const story = await until('all have told', async () => {
    const told = await node.story(shown);
    return told.includes('main ready') && told.includes('bystander ready') && told;
  });
  t.deepEqual(story.filter(isDevice).toSorted(), [
    `main /dev/nvidia-read ${reader?.hex} 640 7:8 opens`,
    `main /dev/nvidia0 ${first?.hex} 666 0:0 opens`,
    `setup /dev/nvidia0 ${first?.hex} 666 0:0 opens`,
  ]);
  t.true(story.includes('main yes stand-in 1 1'), story.join('\n'));
  t.true(story.includes('main 4242'));
  t.true(story.includes('main reads'));
  t.false(story.includes('main writes'));
  t.false(story.includes('main opened another'));

  const table = await node.ok('get', 'devices');
  t.regex(table, /^NAME +HEALTH +USERS/);
  t.regex(table, /acme\.test\/gpu=GPU-0 +Healthy +default\/one \(setup, main\)/);
  t.regex(table, /acme\.test\/gpu=GPU-1 +Healthy +<none>/);
  t.true((await node.events('one')).some((line) => line.startsWith('Normal DevicesAllocated: ')));
});

test('a pod has the same device after twenty restarts, and after the agent was killed', async (t) => {
  await using lab = await aLab(2);
  const { node, standIns } = lab;
  await standIns.gpus(kind);
  const { run } = await node.agent(...standIns.options);
  await node.apply(gpuPod('first', 1));
  await node.podThat('first', 'is ready', isReady);
  await node.apply(gpuPod('same', 1));
  await node.podThat('same', 'is ready', isReady);
  const restart = async (generation: number): Promise<void> => {
    const before = await node.pod('same');
    await node.tell(before, 'main', 88);
    await node.podThat('same', `is at ${generation}`, (one) => {
      return generationOf(one) === generation && isReady(one);
    });
    await node.story(before, 2 * (generation + 1));
  };
  for (let generation = 1; generation <= 20; generation += 1) await restart(generation);
  run.kill('SIGKILL');
  await run;
  await node.agent(...standIns.options);
  await restart(21);
  const story = await node.story(await node.pod('same'), 44);
  const device = standIns.devices[1];
  t.deepEqual(
    [...new Set(story)],
    [`main /dev/nvidia1 ${device?.hex} 666 0:0 opens`, 'main ready'],
  );
  t.is(story.length, 44);
});

test('ten pods take turns at four devices in the order in which they came', async (t) => {
  await using lab = await aLab(4);
  const { node, standIns } = lab;
  await standIns.gpus(kind);
  const { run } = await node.agent(...standIns.options);
  const names = Array.from({ length: 10 }, (_, index) => `p${index}`);
  for (const name of names) await node.apply(gpuPod(name, 1));
  for (const name of names.slice(0, 4)) await node.podThat(name, 'is ready', isReady);
  const waits = await node.podThat('p4', 'waits', isWaiting);
  t.is(waits.status.phase, 'Pending');
  t.is(
    conditionOf(waits, 'PodScheduled')?.message,
    `Insufficient ${kind}: 1 asked for, 0 of 4 free`,
  );
  t.is(waits.status.startTime, undefined);
  t.true((await node.events('p4')).some((line) => line.startsWith('Warning FailedScheduling: ')));

  // What has been given, and who waits how long, is not forgotten.
  run.kill('SIGKILL');
  await run;
  await node.agent(...standIns.options);
  for (const [index, name] of names.entries()) {
    const shown = await node.podThat(name, 'is ready', isReady);
    const users = await node.ok('get', 'devices', '-o', 'jsonpath={.status.users[*].pod}');
    const using = users.split('\n').filter(Boolean).toSorted();
    t.deepEqual(
      using,
      names.slice(index, index + 4).map((one) => `default/${one}`),
    );
    await node.tell(shown, 'main', 0);
    await node.podThat(name, 'is over', ({ status }) => status.phase === 'Succeeded');
  }
  const free = await node.ok('get', 'devices', '-o', 'jsonpath={.status.users[*].pod}');
  t.is(free.trim(), '');
});

test('what keeps a device open is found and ended before the next run; who cannot be ended is waited for', async (t) => {
  await using lab = await aLab(1);
  const { node, standIns } = lab;
  await standIns.driver();
  await node.agent(...standIns.options);
  // A child with a session of its own that holds the device.
  const holds = `${looks}setsid sh -c 'exec 3</dev/nvidia0; echo $$ > /tmp/holder; exec sleep 1000' &
while ! [ -s /tmp/holder ]; do sleep ${blink}; done\n${obeys}`;
  await node.apply(
    pod(
      'holds',
      [],
      [container('main', holds, { ...wants(1, 'nvidia.com/gpu'), ...restarts })],
      // In a pid namespace of its own it would die with the first process of the container.
      { shareProcessNamespace: true },
    ),
  );
  const shown = await node.podThat('holds', 'is ready', isReady);
  const story = await node.story(shown, 2);
  t.is(story[0], `main /dev/nvidia0 ${standIns.devices[0]?.hex} 666 0:0 opens`);

  const holder = await holderIn(node, shown, standIns);
  // Out of its container's cgroup: whoever kills only that misses it.
  const freed = await leaveContainerCgroup(holder);
  await node.tell(shown, 'main', 88);
  await node.podThat('holds', 'runs again', (one) => generationOf(one) === 1 && isReady(one));
  t.false(await isAlive(holder));
  if (freed) {
    const events = await node.events('holds');
    t.true(
      events.some((line) => line.startsWith(`Warning DeviceInUse: Process ${holder} (`)),
      events.join('\n'),
    );
  }

  // One that has left the pod's cgroup altogether: nvidia-smi knows it.
  const main = await node.pidOf(await node.pod('holds'), 'main');
  const stray = execa('nsenter', ['-t', String(main), '-i', '-n', 'sleep', '1000'], {
    reject: false,
  });
  // From then on it is in the namespaces of the pod, whatever becomes of the container.
  await until('the stray process sleeps', async () => {
    const command = await fs.readFile(`/proc/${stray.pid}/comm`, 'utf8');
    return command === 'sleep\n';
  });
  await standIns.answer('', [`GPU-0, ${stray.pid}`]);
  await node.tell(await node.pod('holds'), 'main', 88);
  const told = await until('the stray process is named', async () => {
    return (await node.events('holds')).find((line) =>
      line.startsWith('Warning FailedFreeDevices: '),
    );
  });
  t.regex(told, new RegExp(`process ${stray.pid} \\(sleep\\)`));
  t.is(generationOf(await node.pod('holds')), 2);
  t.is((await node.pod('holds')).status.phase, 'Pending');
  stray.kill('SIGKILL');
  await stray;
  await node.podThat('holds', 'runs again', (one) => generationOf(one) === 2 && isReady(one));
});

test('an unhealthy device is told of, and given to nobody', async (t) => {
  await using lab = await aLab(3);
  const { node, standIns } = lab;
  await standIns.driver();
  await node.agent(...standIns.options, '--unhealthy-devices', 'wait');
  await node.apply(
    pod(
      'sick',
      [],
      [
        container('main', `${looks}${obeys}`, {
          ...wants(1, 'nvidia.com/gpu'),
          ...restarts,
        }),
      ],
    ),
  );
  await node.podThat('sick', 'is ready, and its device, too', (one) => {
    return isReady(one) && conditionOf(one, 'reprise.dev/DevicesHealthy')?.status === 'True';
  });
  t.is(await healthOf(node, 'nvidia.com/gpu=0'), 'Healthy');

  await standIns.answer(
    `echo 'GPU-0, 00000000:00:00.0, Reset'; echo 'GPU-1, 00000000:01:00.0, None'; echo 'GPU-2, 00000000:02:00.0, None'; exit 0`,
  );
  const sick = await node.podThat('sick', 'has a device to be reset', (one) => {
    const { status, message = '' } = conditionOf(one, 'reprise.dev/DevicesHealthy') ?? {};
    return status === 'False' && message.includes('asks for: Reset');
  });
  t.deepEqual(sick.status.containerStatuses?.[0]?.allocatedResourcesStatus, [
    {
      name: 'nvidia.com/gpu',
      resources: [
        {
          resourceID: 'nvidia.com/gpu=GPU-0',
          health: 'Unhealthy',
          message: 'nvidia-smi asks for: Reset',
        },
      ],
    },
  ]);
  // A restart waits, as was asked for, and goes on by itself.
  await node.tell(sick, 'main', 88);
  await until('the restart is held', async () =>
    (await node.events('sick')).some((line) => line.startsWith('Warning RestartHeld: ')),
  );
  await standIns.answer('');
  await node.podThat('sick', 'runs again', (one) => generationOf(one) === 1 && isReady(one));

  // A node that goes away, and an Xid that does not heal by itself.
  const second = standIns.devices[1];
  if (second === undefined) throw new Error('there is no second device');
  await fs.rm(second.node);
  await fs.appendFile(standIns.kernelLog, 'NVRM: Xid (PCI:0000:02:00): 79, GPU has fallen off\n');
  await until('both are unhealthy', async () => {
    const all = [
      await healthOf(node, 'nvidia.com/gpu=1'),
      await healthOf(node, 'nvidia.com/gpu=2'),
    ];
    return all.every((health) => health === 'Unhealthy');
  });
  await node.apply(
    pod('waits', [], [container('main', `${looks}${obeys}`, wants(1, 'nvidia.com/gpu'))]),
  );
  const waits = await node.podThat('waits', 'waits', isWaiting);
  t.is(
    conditionOf(waits, 'PodScheduled')?.message,
    'Insufficient nvidia.com/gpu: 1 asked for, 0 of 3 free, 2 unhealthy',
  );
  t.regex(await node.ok('get', 'devices'), /GPU-2 +Unhealthy +<none> +Xid 79: GPU has fallen off/);
  await standIns.makeNode(second);
  await node.podThat('waits', 'is ready', isReady);
});

test('faulty specifications are told of, and the others count', async (t) => {
  await using lab = await aLab(2);
  const { node, standIns } = lab;
  await standIns.gpus(kind);
  await standIns.spec('broken.json', '{ not json');
  await standIns.spec('unknown.yaml', 'cdiVersion: 0.6.0\nkind: acme.test/x\nodd: 1\n');
  const twin = (name: string): object => ({
    cdiVersion: '0.6.0',
    kind: 'acme.test/twin',
    devices: [{ name: 'a', containerEdits: { env: [`FROM=${name}`] } }],
  });
  await standIns.spec('twin-1.json', twin('1'));
  await standIns.spec('twin-2.json', twin('2'));
  const { run } = await node.agent(...standIns.options);
  await node.apply(gpuPod('fine', 1));
  await node.podThat('fine', 'is ready', isReady);
  await node.apply(gpuPod('twin', 0, wants(1, 'acme.test/twin')));
  const waits = await node.podThat('twin', 'waits', isWaiting);
  t.is(
    conditionOf(waits, 'PodScheduled')?.message,
    'Insufficient acme.test/twin: there is none on this node',
  );
  // With one of the two away, the other one counts.
  await fs.rm(path.join(standIns.cdiDir, 'twin-2.json'));
  await node.podThat('twin', 'is ready', isReady);
  run.kill('SIGTERM');
  const { all } = await run;
  for (const file of ['broken.json', 'unknown.yaml', 'twin-1.json']) t.true(all.includes(file));
});

test('NVIDIA’s runtime is told by its variable; devices can be asked for by name', async (t) => {
  const dir = await fs.mkdtemp('/tmp/reprise-nvidia-');
  t.teardown(() => fs.rm(dir, { recursive: true }));
  const program = path.join(dir, 'nvidia-container-runtime');
  await fs.writeFile(program, '#!/bin/sh\nexec runc "$@"\n', { mode: 0o755 });
  await using node = await startNode({ handlers: { nvidia: program } });
  const standIns = await StandIns.make(path.join(dir, 'stand-ins'), node.containerd.cdiDir, 3);
  await standIns.driver();
  await node.agent(...standIns.options);
  const shows = `${looks}say "sees $NVIDIA_VISIBLE_DEVICES"\n${obeys}`;
  await node.apply(
    pod(
      'nvidia',
      [],
      [
        container('main', shows, wants(1, 'nvidia.com/gpu')),
        container('other', shows, {
          env: [
            { name: 'NAME', value: 'other' },
            { name: 'NVIDIA_VISIBLE_DEVICES', value: 'GPU-0' },
          ],
        }),
        container('none', shows),
      ],
      { runtimeClassName: 'nvidia' },
    ),
  );
  const named = pod('named', [], [container('main', shows)]);
  const annotations = { ...named.metadata.annotations, 'cdi.k8s.io/x': 'nvidia.com/gpu=2' };
  await node.apply({ ...named, metadata: { ...named.metadata, annotations } });
  const [first, second] = [
    await node.podThat('nvidia', 'is ready', isReady),
    await node.podThat('named', 'is ready', isReady),
  ];
  const [zero, one, two] = standIns.devices;
  t.deepEqual((await node.story(first, 8)).filter((line) => !line.endsWith('ready')).toSorted(), [
    `main /dev/nvidia1 ${one?.hex} 666 0:0 opens`,
    'main sees GPU-1',
    'none sees void',
    `other /dev/nvidia0 ${zero?.hex} 666 0:0 opens`,
    'other sees GPU-0',
  ]);
  t.is((await node.story(second, 3))[0], `main /dev/nvidia2 ${two?.hex} 666 0:0 opens`);
});

/** Host pid of the process that has the first device open. */
async function holderIn(node: TestNode, shown: V1Pod, { devices }: StandIns): Promise<number> {
  const main = await node.pidOf(shown, 'main');
  const cgroup = await fs.readFile(`/proc/${main}/cgroup`, 'utf8');
  const wanted = (await fs.stat(devices[0]?.node ?? '')).rdev;
  for (const pid of (await fs.readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const own = await fs.readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
    if (own !== cgroup) continue;
    // The shell's helpers come and go.
    for (const fd of await fs.readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const stats = await fs.stat(`/proc/${pid}/fd/${fd}`).catch(() => undefined);
      if (stats?.rdev === wanted) return Number(pid);
    }
  }
  throw new Error('nobody holds the device');
}

/** Moves a process into the cgroup of its pod, as a privileged one could; not possible with v2. */
async function leaveContainerCgroup(pid: number): Promise<boolean> {
  const lines = (await fs.readFile(`/proc/${pid}/cgroup`, 'utf8')).trim().split('\n');
  const inV1 = lines.filter((line) => !line.startsWith('0::'));
  for (const line of inV1) {
    const [, controllers = '', place = ''] = line.split(':');
    const mount = controllers.replace(/^name=/, '');
    const file = `/sys/fs/cgroup/${mount}${path.dirname(place)}/cgroup.procs`;
    await fs.writeFile(file, String(pid));
  }
  const unified = lines.find((line) => line.startsWith('0::'))?.slice('0::'.length);
  if (inV1.length > 0 && unified !== undefined && unified !== '/') {
    const file = `/sys/fs/cgroup/unified${path.dirname(unified)}/cgroup.procs`;
    await fs.writeFile(file, String(pid));
  }
  return inV1.length > 0;
}

async function isAlive(pid: number): Promise<boolean> {
  const state = await fs.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return state !== '' && !/\) Z /.test(state);
}
