// Images of a registry that does not serve everybody: pods need credentials, and what one pod has
// pulled with them is not for pods without.
import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { connectAgent } from '../src/api/client.ts';
import type { V1Pod } from '../src/pod/pod-status.ts';
import { listenTo } from './event-history.ts';
import type { ManifestOf } from './manifests.ts';
import { container, pod, referencePod } from './manifests.ts';
import type { TestNode } from './node.ts';
import { generationOf, isReady, patience, statusOf, until } from './node.ts';
import { allowHttp, password, startRegistry } from './registry.ts';
import { shared, sharedNode } from './shared.ts';

/** What agents have said that have ended, and how to end the one that runs. */
const agents = { said: '', stop: () => Promise.resolve() };

const registry = shared('the registry', () => startRegistry('bob'));
const node = sharedNode(async (one) => {
  await allowHttp(one.containerd, registry());
  await startAgent(one);
});

async function startAgent(one: TestNode): Promise<void> {
  const { run } = await one.agent();
  agents.stop = async () => {
    run.kill('SIGTERM');
    agents.said += (await run).all;
  };
}

/** A Secret as \`kubectl create secret docker-registry\` makes it. */
function secret(name: string, word = password, place = registry().host): object {
  const auth = Buffer.from(`bob:${word}`).toString('base64');
  const config = { auths: { [place]: { username: 'bob', password: word, auth } } };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify(config)).toString('base64') },
  };
}

/** A pod of one container with a private image, and the names of its pull secrets. */
function wants(name: string, image: string, secrets: string[] = [], more = {}): ManifestOf {
  return pod(name, [], [container('main', undefined, { image, ...more })], {
    ...(secrets.length > 0 && { imagePullSecrets: secrets.map((each) => ({ name: each })) }),
  });
}

const waiting = (one: V1Pod) => statusOf(one, 'main').state.waiting;

async function isRefused(name: string): Promise<V1Pod> {
  return await node().podThat(name, 'is refused by the registry', (one) =>
    /ErrImagePull.*(401|authoriz|credential)/is.test(
      `${waiting(one)?.reason} ${waiting(one)?.message}`,
    ),
  );
}

/** Nothing here may be seen outside of the Secret itself. */
const hush = [password, Buffer.from(`bob:${password}`).toString('base64'), 'wrong-word'];

test.serial(
  'a private image needs credentials, and what was pulled with them stays private',
  async (t) => {
    const image = `${registry().host}/team/private:1`;
    const digest = await registry().push('busybox', 'team/private:1');
    const history = await listenTo(node(), 'nobody');
    await node().apply(wants('nobody', image));
    await isRefused('nobody');
    const [first] = await history.until('Warning Failed: Error: ErrImagePull');
    t.is(first, `Normal Pulling: Pulling image "${image}"`);
    await node().removed('nobody');

    // Its own Secret, next to it in the file, for a part of the registry.
    const place = `http://${registry().host}/v2/team`;
    const own = [secret('own', password, place), wants('bob', image, ['own'])];
    const text = own.map((each) => JSON.stringify(each)).join('\n---\n');
    await connectAgent(node().socket).createPod('default', text, patience());
    const running = await node().podThat('bob', 'runs', isReady);
    t.is(statusOf(running, 'main').imageID, `${registry().host}/team/private@${digest}`);

    // The image is there now, but not for others.
    await node().apply(wants('later', image));
    await isRefused('later');
    await node().apply(wants('never', image, [], { imagePullPolicy: 'Never' }));
    const never = await node().podThat(
      'never',
      'does not get the image',
      (one) => waiting(one)?.reason === 'ErrImageNeverPull',
    );
    t.regex(
      waiting(never)?.message ?? '',
      /was pulled with credentials that the pod does not have/,
    );

    // Not after a restart of the agent, either.
    await agents.stop();
    await startAgent(node());
    await node().apply(wants('much-later', image));
    await isRefused('much-later');

    // Who has the credentials needs no registry for it. What those who are refused have asked last may
    // still be on its way to it, but they are told nothing.
    await node().removed('later', 'never', 'much-later');
    await node().apply(JSON.stringify(secret('applied')));
    const told = await registry().told('team/private', '1');
    t.true(told > 0, 'when it was pulled');
    await node().apply(wants('friend', image, ['applied'], { imagePullPolicy: 'Never' }));
    await node().podThat('friend', 'runs', isReady);
    t.is(await registry().told('team/private', '1'), told);
    await node().removed('bob', 'friend');
  },
);

test.serial('wrong credentials are refused, and right ones are found among others', async (t) => {
  const image = `${registry().host}/found:1`;
  await registry().push('busybox', 'found:1');
  await node().apply(JSON.stringify(secret('wrong', 'wrong-word')));
  await node().apply(JSON.stringify(secret('right')));
  await node().apply(JSON.stringify(secret('elsewhere', 'wrong-word', '127.0.0.1:1')));
  await node().apply(wants('refused', image, ['wrong']));
  await isRefused('refused');
  await node().apply(wants('served', image, ['absent', 'elsewhere', 'wrong', 'right']));
  await node().podThat('served', 'runs', isReady);
  t.is(
    (await node().events('served'))[0],
    'Warning FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (absent); attempting to pull the image may not succeed.',
  );
  await node().removed('refused', 'served');
});

test.serial('a Secret of the older kind has the registries at its top', async (t) => {
  const image = `${registry().host}/older:1`;
  await registry().push('busybox', 'older:1');
  const auths = { [registry().host]: { username: 'bob', password } };
  const old = {
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'older' } },
    type: 'kubernetes.io/dockercfg',
    data: { '.dockercfg': Buffer.from(JSON.stringify(auths)).toString('base64') },
  };
  await node().apply(JSON.stringify(old));
  await node().apply(wants('stranger', image));
  await isRefused('stranger');
  await node().apply(wants('owner', image, ['older']));
  const running = await node().podThat('owner', 'runs', isReady);
  t.is(statusOf(running, 'main').image, image);
  await node().removed('stranger', 'owner');
});

test.serial('a secret that comes later is used at once', async (t) => {
  const image = `${registry().host}/late:1`;
  await registry().push('busybox', 'late:1');
  await node().apply(wants('late', image, ['late']));
  await isRefused('late');
  await node().apply(JSON.stringify(secret('late')));
  const running = await node().podThat('late', 'runs', isReady);
  t.is(statusOf(running, 'main').restartCount, 0);
  await node().removed('late');
});

test.serial(
  'a private registry that is away is waited for; a restart in place needs none',
  async (t) => {
    const image = `${registry().host}/away:1`;
    await registry().push('busybox', 'away:1');
    await node().apply(JSON.stringify(secret('away')));
    const [setup, watcher, main] = ['setup', 'watcher', 'main'];
    const manifest = referencePod('away', { imagePullSecrets: [{ name: 'away' }] });
    const spec = JSON.parse(JSON.stringify(manifest.spec)) as {
      containers: object[];
      initContainers: object[];
    };
    const withImage = (list: object[]) => list.map((each) => ({ ...each, image }));
    await registry().stop();
    await node().apply({
      ...manifest,
      spec: {
        ...spec,
        containers: withImage(spec.containers),
        initContainers: withImage(spec.initContainers),
      },
    });
    await node().podThat('away', 'waits for its registry', (one) =>
      /connection refused/.test(statusOf(one, setup).state.waiting?.message ?? ''),
    );
    await registry().start();
    const first = await node().podThat('away', 'runs', isReady);
    await registry().stop();
    await node().tell(first, watcher, 88);
    const second = await node().podThat(
      'away',
      'is back',
      (one) => isReady(one) && generationOf(one) === 1,
    );
    t.is(statusOf(second, main).imageID, statusOf(first, main).imageID);
    await registry().start();
    await node().removed('away');
  },
);

test.serial('nobody tells what is in a Secret', async (t) => {
  const events = await node().ok('events', '-A');
  await agents.stop();
  const pods = path.join(node().dataDir, 'pods');
  const kept = await until('the pods are gone', async () => {
    const left = await fs.readdir(pods);
    return (
      left.length === 0 && (await fs.readFile(path.join(node().dataDir, 'pulled-images.json')))
    );
  });
  t.true(agents.said.length > 0);
  for (const word of hush) {
    t.false(agents.said.includes(word), 'the log');
    t.false(events.includes(word), 'the events');
    t.false(kept.toString().includes(word), 'what is kept of pulls');
  }
});
