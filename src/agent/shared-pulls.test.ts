import test from 'ava';
import { ImageError } from '../runtime/images.ts';
import { SharedPullError, SharedPulls } from './shared-pulls.ts';

const image = 'a.test/box:1';
const refused = new ImageError('ErrImagePull', 'Failed to pull image: refused', image, {
  next: 'wait',
  details: 'refused',
});

/** Pulls that end when the test says so. */
function aRegistry() {
  const pulls: PromiseWithResolvers<string>[] = [];
  const shared = new SharedPulls();
  const ask = (pod = 'uid', signal = new AbortController().signal, of = image) =>
    shared.share(
      pod,
      of,
      () => {
        const pull = Promise.withResolvers<string>();
        pulls.push(pull);
        signal.addEventListener('abort', () => pull.reject(signal.reason));
        return pull.promise;
      },
      signal,
    );
  return { pulls, ask };
}

test('containers of a pod wait for one pull, of which one of them tells', async (t) => {
  const { pulls, ask } = aRegistry();
  const all = [ask(), ask(), ask()];
  t.is(pulls.length, 1);
  pulls[0]?.resolve('pulled');
  t.deepEqual(await Promise.all(all), ['pulled', undefined, undefined]);
  const later = ask();
  t.is(pulls.length, 2, 'what is over is not shared');
  pulls[1]?.resolve('again');
  t.is(await later, 'again');
});

test('other pods and other images have pulls of their own', (t) => {
  const { pulls, ask } = aRegistry();
  for (const one of [ask('a'), ask('b'), ask('a', undefined, 'a.test/other:1')]) void one;
  t.is(pulls.length, 3);
});

test('a pull that fails has failed for all of them, and one of them tells', async (t) => {
  const { pulls, ask } = aRegistry();
  const [first, second] = [ask(), ask()];
  pulls[0]?.reject(refused);
  t.is(await t.throwsAsync(first), refused);
  const shared = await t.throwsAsync(second, { instanceOf: SharedPullError });
  t.like(shared, { reason: 'ErrImagePull', details: 'refused', earlier: undefined });
});

test('a pull that is called off is begun again by who still wants it', async (t) => {
  const { pulls, ask } = aRegistry();
  const end = new AbortController();
  const [first, second, third] = [ask('uid', end.signal), ask(), ask()];
  end.abort(new Error('called off'));
  await t.throwsAsync(first, { message: 'called off' });
  t.is(pulls.length, 2);
  pulls[1]?.resolve('pulled');
  t.deepEqual(await Promise.all([second, third]), ['pulled', undefined]);
});

test('who is called off does not wait for the pull of another container', async (t) => {
  const { pulls, ask } = aRegistry();
  const end = new AbortController();
  const [first, second] = [ask(), ask('uid', end.signal)];
  end.abort(new Error('called off'));
  await t.throwsAsync(second, { message: 'called off' });
  pulls[0]?.resolve('pulled');
  t.is(await first, 'pulled');
});
