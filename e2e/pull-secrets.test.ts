// Images of a registry that does not serve everybody: pods need credentials, and what one pod has
// pulled with them is not for pods without.
import fs from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { connectAgent } from '../src/api/client.ts';
import type { V1Pod } from '../src/pod/pod-status.ts';
import type { ManifestOf } from './manifests.ts';
import { container, pod, referencePod } from './manifests.ts';
import type { TestNode } from './node.ts';
import { generationOf, isReady, startNode, statusOf, until } from './node.ts';
import type { Registry } from './registry.ts';
import { allowHttp, password, startRegistry } from './registry.ts';

const shared: {
  node?: TestNode;
  registry?: Registry;
  /** What agents have said that have ended. */
  output: string;
  stopAgent: () => Promise<void>;
} = { output: '', stopAgent: () => Promise.resolve() };

function node(): TestNode {
  if (shared.node === undefined) throw new Error('the node has not started');
  return shared.node;
}

function registry(): Registry {
  if (shared.registry === undefined) throw new Error('the registry has not started');
  return shared.registry;
}

async function startAgent(): Promise<void> {
  const { run } = await node().agent();
  shared.stopAgent = async () => {
    run.kill('SIGTERM');
    shared.output += (await run).all;
  };
}

test.before(async () => {
  shared.node = await startNode();
  shared.registry = await startRegistry('bob');
  await allowHttp(shared.node.containerd, shared.registry);
  await startAgent();
});

test.after.always('nothing is left', async () => {
  await shared.registry?.[Symbol.asyncDispose]();
  await shared.node?.[Symbol.asyncDispose]();
});

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

async function eventsOf(name: string): Promise<string[]> {
  const query = { namespace: 'default', name };
  const events = await connectAgent(node().socket).listEvents(query, AbortSignal.timeout(30_000));
  return events.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
}

const waiting = (one: V1Pod) => statusOf(one, 'main').state.waiting;

async function isRefused(name: string): Promise<V1Pod> {
  return await node().podThat(name, 'is refused by the registry', (one) =>
    /ErrImagePull.*(401|authoriz|credential)/is.test(
      `${waiting(one)?.reason} ${waiting(one)?.message}`,
    ),
  );
}

async function removed(...names: string[]): Promise<void> {
  for (const name of names) await node().ok('delete', 'pod', name, '--wait');
}

/** Nothing here may be seen outside of the Secret itself. */
const hush = [password, Buffer.from(`bob:${password}`).toString('base64'), 'wrong-word'];

test.serial(
  'a private image needs credentials, and what was pulled with them stays private',
  async (t) => {
    const image = `${registry().host}/team/private:1`;
    const digest = await registry().push('busybox', 'team/private:1');
    await node().apply(wants('nobody', image));
    await isRefused('nobody');
    t.deepEqual((await eventsOf('nobody')).slice(0, 1), [
      `Normal Pulling: Pulling image "${image}"`,
    ]);
    await removed('nobody');

    // Its own Secret, next to it in the file, for a part of the registry.
    const place = `http://${registry().host}/v2/team`;
    const own = [secret('own', password, place), wants('bob', image, ['own'])];
    const text = own.map((each) => JSON.stringify(each)).join('\n---\n');
    await connectAgent(node().socket).createPod('default', text, AbortSignal.timeout(30_000));
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
    await shared.stopAgent();
    await startAgent();
    await node().apply(wants('much-later', image));
    await isRefused('much-later');

    // Who has the credentials needs no registry for it. Those who are refused ask it again and again.
    await removed('later', 'never', 'much-later');
    await node().apply(JSON.stringify(secret('applied')));
    const asked = await registry().asked('team/private', '1');
    await node().apply(wants('friend', image, ['applied'], { imagePullPolicy: 'Never' }));
    await node().podThat('friend', 'runs', isReady);
    t.is(await registry().asked('team/private', '1'), asked);
    await removed('bob', 'friend');
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
    (await eventsOf('served'))[0],
    'Warning FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (absent); attempting to pull the image may not succeed.',
  );
  await removed('refused', 'served');
});

test.serial('a secret that comes later is used by the next try', async (t) => {
  const image = `${registry().host}/late:1`;
  await registry().push('busybox', 'late:1');
  await node().apply(wants('late', image, ['late']));
  await isRefused('late');
  await node().apply(JSON.stringify(secret('late')));
  const running = await node().podThat('late', 'runs', isReady);
  t.is(statusOf(running, 'main').restartCount, 0);
  await removed('late');
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
    await fs.writeFile(path.join(node().volume(first), `exit-${watcher}`), '88');
    const second = await node().podThat(
      'away',
      'is back',
      (one) => isReady(one) && generationOf(one) === 1,
    );
    t.is(statusOf(second, main).imageID, statusOf(first, main).imageID);
    await registry().start();
    await removed('away');
  },
);

test.serial('nobody tells what is in a Secret', async (t) => {
  const events = await node().ok('events', '-A');
  await shared.stopAgent();
  const pods = path.join(node().dataDir, 'pods');
  const kept = await until('the pods are gone', async () => {
    const left = await fs.readdir(pods);
    return (
      left.length === 0 && (await fs.readFile(path.join(node().dataDir, 'pulled-images.json')))
    );
  });
  t.true(shared.output.length > 0);
  for (const word of hush) {
    t.false(shared.output.includes(word), 'the log');
    t.false(events.includes(word), 'the events');
    t.false(kept.toString().includes(word), 'what is kept of pulls');
  }
});
