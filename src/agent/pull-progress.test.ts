import test from 'ava';
import { tellProgress } from './pull-progress.ts';

/** What is told until it has been told three times. */
async function told(bytes: () => Promise<number>): Promise<string[]> {
  const over = new AbortController();
  const texts: string[] = [];
  let clock = 0;
  const tell = (text: string): void => {
    texts.push(text);
    if (texts.length === 3) over.abort();
  };
  const now = () => (clock += 3_000);
  await tellProgress({ image: 'a:1', downloads: { bytes }, tell, now, everyMs: 1 }, over.signal);
  return texts;
}

test('a pull tells how much has arrived and how long it has taken', async (t) => {
  let count = 0;
  t.deepEqual(await told(() => Promise.resolve((count++ * 2 ** 20) / 2)), [
    'Pulling image "a:1": 3s',
    'Pulling image "a:1": 0.5 MiB so far, 6s',
    'Pulling image "a:1": 1.0 MiB so far, 9s',
  ]);
});

test('where nobody knows how much has arrived the time is told', async (t) => {
  t.deepEqual(await told(() => Promise.reject(new Error('not today'))), [
    'Pulling image "a:1": 3s',
    'Pulling image "a:1": 6s',
    'Pulling image "a:1": 9s',
  ]);
});
