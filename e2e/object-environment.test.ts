// What containers get into their environment from ConfigMaps and Secrets, and that a restart in place
// sees what these hold by then, however well it was prepared.
import os from 'node:os';
import test from 'ava';
import { container, initContainer, sidecar, pod, restartAllOn } from './manifests.ts';
import { statusOf, until } from './node.ts';
import { sharedNode } from './shared.ts';
import { reporter, reports, reportingPod, restartInPlace } from './reports.ts';

const node = sharedNode();

async function applyConfigMap(name: string, data: Record<string, string>): Promise<void> {
  await node().apply(
    JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }),
  );
}

async function applySecret(name: string, stringData: Record<string, string>): Promise<void> {
  await node().apply(
    JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData }),
  );
}

const fromMap = (name: string, key: string, optional = false) => ({
  valueFrom: { configMapKeyRef: { name, key, optional } },
});
const fromSecret = (name: string, key: string) => ({
  valueFrom: { secretKeyRef: { name, key } },
});
const resource = (name: string, divisor?: string) => ({
  valueFrom: { resourceFieldRef: { resource: name, divisor } },
});

test('variables come from objects and resources, in their order', async (t) => {
  await applyConfigMap('settings', { color: 'blue', 'dotted.name': 'd', SIZE: '1' });
  await applySecret('keys', { password: 'hunter2', SIZE: '2' });
  const main = reporter('main', `tr '\\0' '\\n' < /proc/1/environ`, {
    resources: { requests: { memory: '16Mi', cpu: '50m' } },
    envFrom: [
      { configMapRef: { name: 'settings' } },
      { prefix: 'S_', secretRef: { name: 'keys' } },
      { secretRef: { name: 'none', optional: true } },
    ],
    env: [
      { name: 'NAME', value: 'main' },
      { name: 'COLOR', ...fromMap('settings', 'color') },
      { name: 'PASSWORD', ...fromSecret('keys', 'password') },
      { name: 'ABSENT', ...fromMap('settings', 'absent', true) },
      { name: 'BOTH', value: '$(COLOR)-$(S_SIZE)-$(ABSENT)' },
      { name: 'SIZE', value: '3' },
      { name: 'MEMORY', ...resource('requests.memory', '1Mi') },
      { name: 'CPUS', ...resource('limits.cpu') },
      { name: 'MILLI', ...resource('requests.cpu', '1m') },
    ],
  });
  await node().apply(reportingPod('variables', [main]));
  const one = await node().ready('variables');
  const lines = (await reports(node(), one, ['main']))['main'] ?? [];
  // Asked of the kernel: a shell keeps names to itself that it could not have given.
  for (const line of [
    'color=blue',
    'dotted.name=d',
    'SIZE=3',
    'S_password=hunter2',
    'S_SIZE=2',
    'COLOR=blue',
    'PASSWORD=hunter2',
    'BOTH=blue-2-$(ABSENT)',
    'MEMORY=16',
    `CPUS=${os.cpus().length}`,
    'MILLI=50',
  ]) {
    t.true(lines.includes(line), line);
  }
  t.false(lines.some((line) => line.startsWith('ABSENT=')));
  await node().removed('variables');
});

test('variables tell a pod of itself, and its words of its variables', async (t) => {
  const field = (name: string, fieldPath: string) => ({
    name,
    valueFrom: { fieldRef: { fieldPath } },
  });
  const env = [
    { name: 'NAME', value: 'fields' },
    field('POD', 'metadata.name'),
    field('NAMESPACE', 'metadata.namespace'),
    field('UID', 'metadata.uid'),
    field('LABEL', "metadata.labels['test/app']"),
    field('ANNOTATION', "metadata.annotations['test/note']"),
    field('NO_LABEL', "metadata.labels['absent']"),
    field('NODE', 'spec.nodeName'),
    field('HOST_IP', 'status.hostIP'),
    field('HOST_IPS', 'status.hostIPs'),
    field('POD_IP', 'status.podIP'),
    field('POD_IPS', 'status.podIPs'),
    { name: 'BOTH', value: '$(POD)@$(NODE)' },
  ];
  const fields = reporter('fields', `tr '\\0' '\\n' < /proc/1/environ`, { env });
  // The shell takes what follows its script as it is.
  const words = reporter('words', `tr '\\0' '\\n' < /proc/1/cmdline | tail -n 6`, {
    env: [...env, { name: 'NAME', value: 'words' }],
  });
  const command = [...(words['command'] as string[]), '$(POD).$(NAMESPACE)', '$$(POD)'];
  const args = ['$(BOTH)', '$(NOBODY)', '$$$(NAME)', '$(POD'];
  const manifest = pod('told', [], [fields, { ...words, command, args }]);
  const labels = { 'test/app': 'web' };
  // What is taken from a field is taken as it is.
  const annotations = { ...manifest.metadata.annotations, 'test/note': 'costs "$(POD)" $$1' };
  await node().apply({ ...manifest, metadata: { name: 'told', labels, annotations } });
  const one = await node().ready('told');
  const seen = await reports(node(), one, ['fields', 'words']);
  const { hostIP = '', hostIPs = [], podIP = '', podIPs = [] } = one.status;
  t.is(hostIPs[0]?.ip, hostIP);
  t.is(podIPs[0]?.ip, podIP);
  const list = (ips: readonly { readonly ip: string }[]) => ips.map(({ ip }) => ip).join();
  const addresses = Object.values(os.networkInterfaces()).flat();
  t.true(addresses.some((each) => each?.address === hostIP));
  for (const line of [
    'POD=told',
    'NAMESPACE=default',
    `UID=${one.metadata.uid}`,
    'LABEL=web',
    'ANNOTATION=costs "$(POD)" $$1',
    'NO_LABEL=',
    'NODE=test-node',
    `HOST_IP=${hostIP}`,
    `HOST_IPS=${list(hostIPs)}`,
    `POD_IP=${podIP}`,
    `POD_IPS=${list(podIPs)}`,
    'BOTH=told@test-node',
  ]) {
    t.true(seen['fields']?.includes(line), line);
  }
  t.deepEqual(seen['words'], [
    'told.default',
    '$(POD)',
    'told@test-node',
    '$(NOBODY)',
    '$words',
    '$(POD',
  ]);
  await node().removed('told');
});

test('a container waits for what its variables need, and starts by itself', async (t) => {
  const env = [
    { name: 'NAME', value: 'main' },
    { name: 'COLOR', ...fromMap('late', 'color') },
  ];
  await node().apply(pod('waits', [], [container('main', undefined, { env }), container('other')]));
  const waitingFor = async (message: RegExp) =>
    await node().podThat('waits', `says ${message}`, (one) =>
      message.test(statusOf(one, 'main').state.waiting?.message ?? ''),
    );
  const one = await waitingFor(/^configmap "late" not found$/);
  t.is(statusOf(one, 'main').state.waiting?.reason, 'CreateContainerConfigError');
  t.is(one.status.phase, 'Pending');
  await node().podThat('waits', 'runs the other', (each) =>
    Boolean(statusOf(each, 'other').state.running),
  );
  t.regex(await node().ok('events', 'waits'), /Failed .*Error: configmap "late" not found/);
  await applyConfigMap('late', { size: '1' });
  await waitingFor(/^couldn't find key color in ConfigMap default\/late$/);
  await applyConfigMap('late', { color: 'red' });
  await node().ready('waits');
  await node().removed('waits');
});

test('each restart in place sees what an object holds by then', async (t) => {
  await applyConfigMap('live', { color: 'one' });
  await applySecret('live', { word: 'one' });
  const env = [
    { name: 'NAME', value: 'main' },
    { name: 'COLOR', ...fromMap('live', 'color') },
  ];
  const report = 'echo "$COLOR $word"';
  await node().apply(
    reportingPod('live', [
      reporter('main', report, { env, envFrom: [{ secretRef: { name: 'live' } }] }),
    ]),
  );
  let one = await node().ready('live');
  t.deepEqual(await reports(node(), one, ['main']), { main: ['one one'] });
  const standby = async (generation: number): Promise<string | undefined> => {
    const ids = await node().containers({
      'io.kubernetes.pod.name': 'live',
      'io.kubernetes.container.name': 'main',
      'reprise.dev/generation': String(generation),
    });
    return ids[0];
  };
  const first = await until('there is a standby', () => standby(1));

  await applyConfigMap('live', { color: 'two' });
  await until('there is another standby', async () => {
    const now = await standby(1);
    return now !== undefined && now !== first;
  });
  one = await restartInPlace(node(), one, ['main']);
  t.deepEqual(await reports(node(), one, ['main']), { main: ['two one'] });

  // At the same time, as nobody waits for standbys in real life.
  await until('there is a standby', () => standby(2));
  await applySecret('live', { word: 'three' });
  one = await restartInPlace(node(), one, ['main']);
  t.deepEqual(await reports(node(), one, ['main']), { main: ['two three'] });

  one = await restartInPlace(node(), one, ['main']);
  t.deepEqual(await reports(node(), one, ['main']), { main: ['two three'] });
  await node().removed('live');
});

test('a variable comes from a file that the run of its container has been given', async (t) => {
  const writes = `
    runs=$(cat /shared/runs 2>/dev/null)x; echo $runs > /shared/runs
    printf "# by setup\\nOTHER='a\\nb'\\nRUN='%s'\\n" $runs > /shared/env`;
  const fromFile = (key: string, more = {}) => ({
    valueFrom: { fileKeyRef: { volumeName: 'shared', path: 'env', key, ...more } },
  });
  const env = [
    { name: 'NAME', value: 'main' },
    { name: 'RUN', ...fromFile('RUN') },
    { name: 'TWICE', value: '$(RUN)$(RUN)' },
    { name: 'OTHER', ...fromFile('OTHER') },
    { name: 'NONE', ...fromFile('NONE', { optional: true }) },
  ];
  const setup = initContainer('setup', writes);
  const main = reporter('main', 'echo "$RUN $TWICE" $OTHER ${NONE-unset}', { env });
  const watcher = sidecar('watcher', restartAllOn(88));
  await node().apply(pod('from-file', [setup, watcher], [main]));
  let one = await node().ready('from-file');
  t.deepEqual(await reports(node(), one, ['main']), { main: ['x xx a b unset'] });
  one = await restartInPlace(node(), one, ['main']);
  t.deepEqual(await reports(node(), one, ['main']), { main: ['xx xxxx a b unset'] });
  await node().removed('from-file');
});

test('a container waits for the file that its variables come from', async (t) => {
  const fileKeyRef = { volumeName: 'shared', path: 'env', key: 'WORD' };
  const env = [
    { name: 'NAME', value: 'main' },
    { name: 'WORD', valueFrom: { fileKeyRef } },
  ];
  await node().apply(
    pod('no-file', [], [reporter('main', 'echo $WORD', { env }), container('other')]),
  );
  const waitingFor = async (message: RegExp) =>
    await node().podThat('no-file', `says ${message}`, (one) => {
      const { reason, message: told } = statusOf(one, 'main').state.waiting ?? {};
      return reason === 'CreateContainerConfigError' && message.test(told ?? '');
    });
  const one = await waitingFor(/^environment variable file "env" not found in volume "shared"$/);
  await node().put(one, 'env', 'WORD=open');
  await waitingFor(/^couldn't parse env file: line 1: value must be enclosed in single quotes$/);
  await node().put(one, 'env', "WORD='open'");
  await node().ready('no-file');
  t.deepEqual(await reports(node(), one, ['main']), { main: ['open'] });
  await node().removed('no-file');
});

test('a change while no agent runs its pods is no change that is missed', async (t) => {
  const place = await node().beside('other');
  const config = (color: string) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'live' },
      data: { color },
    });
  const { run } = await place.agent();
  await place.apply(config('one'));
  const env = [
    { name: 'NAME', value: 'main' },
    { name: 'COLOR', ...fromMap('live', 'color') },
  ];
  const watcher = sidecar('watcher', restartAllOn(88));
  await place.apply(pod('killed', [watcher], [reporter('main', 'echo "$COLOR"', { env })]));
  let one = await place.ready('killed');
  await reports(place, one, ['main']);
  await until('there is a standby', async () => {
    const made = await node().containers({
      'io.kubernetes.pod.name': 'killed',
      'reprise.dev/generation': '1',
    });
    return made.length === 2;
  });
  await place.apply(config('two'));
  run.kill('SIGKILL');
  await run;
  await place.agent();
  one = await restartInPlace(place, one, ['main']);
  t.deepEqual(await reports(place, one, ['main']), { main: ['two'] });
  await place.removed('killed');
});
