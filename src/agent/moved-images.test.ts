import test from 'ava';
import type { Instance } from '../pod/observed.ts';
import { aContainer, aPod, anInstance } from '../testing/builders.ts';
import { isMadeAheadFrom, withMovedImages } from './moved-images.ts';
import { blankView } from './view.ts';

const pod = aPod(
  [],
  [aContainer('main', { image: 'tool:1' }), aContainer('log', { image: 'log' })],
);

function created(name: string, imageId?: string): Instance {
  return anInstance({ id: `${name}-1`, name, state: 'created', imageId });
}

/** Which of these are marked, when names stand for these ids; and what was asked. */
async function marked(instances: readonly Instance[], ids: Readonly<Record<string, string>>) {
  const asked: string[] = [];
  const imageStatus = (name: string) => {
    asked.push(name);
    const id = ids[name];
    return Promise.resolve(id === undefined ? undefined : ({ id } as never));
  };
  const look = { sandboxes: [], instances };
  const seen = await withMovedImages({ imageStatus }, pod, look, new AbortController().signal);
  const old = seen.instances.flatMap(({ name, hasOldImage }) => (hasOldImage === true ? name : []));
  return { old, asked };
}

test('what was made ahead is old when its image has moved, and only then', async (t) => {
  const both = [created('main', 'sha256:1'), created('log', 'sha256:2')];
  const ids = { 'tool:1': 'sha256:9', 'log:latest': 'sha256:2' };
  t.deepEqual(await marked(both, ids), { old: ['main'], asked: ['tool:1', 'log:latest'] });
});

test('an image that is gone makes nothing old', async (t) => {
  t.deepEqual((await marked([created('main', 'sha256:1')], {})).old, []);
});

test('nothing is asked about what runs, has no known image, or is not in the pod', async (t) => {
  const running = anInstance({ name: 'main', imageId: 'sha256:1' });
  const others = [running, created('log'), created('stranger', 'sha256:1')];
  t.deepEqual(await marked(others, {}), { old: [], asked: [] });
});

test('each image is asked for once', async (t) => {
  const two = [created('main', 'sha256:1'), created('main', 'sha256:2')];
  t.deepEqual(await marked(two, { 'tool:1': 'sha256:2' }), { old: ['main'], asked: ['tool:1'] });
});

for (const [news, instance, concerns] of [
  ['docker.io/library/tool:1', created('main'), true],
  // A pull tells all names of what it brings.
  [`docker.io/library/tool@sha256:${'1'.repeat(64)}`, created('main'), true],
  ['docker.io/library/other:1', created('main'), false],
  ['docker.io/library/tool:1', anInstance({ name: 'main' }), false],
  [`sha256:${'1'.repeat(64)}`, created('main'), false],
] as const) {
  test(`news of ${news} ${concerns ? 'concerns' : 'does not concern'} ${instance.state}`, (t) => {
    t.is(isMadeAheadFrom(news, pod, { ...blankView, instances: [instance] }), concerns);
  });
}
