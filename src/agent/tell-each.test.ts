import test from 'ava';
import { createLogger } from '../log.ts';
import { aPod } from '../testing/builders.ts';
import { tellEach } from './tell-each.ts';

test('a pod that cannot be told something keeps it from no other', (t) => {
  const workers = ['a', 'b', 'c'].map((name) => {
    const pod = aPod([], []);
    return { pod: { ...pod, metadata: { ...pod.metadata, name } } };
  });
  const told: string[] = [];
  const tell = ({ pod }: (typeof workers)[number]): void => {
    if (pod.metadata.name === 'b') throw new TypeError('a defect');
    told.push(pod.metadata.name);
  };
  tellEach(workers, tell, createLogger({ level: 'silent' }));
  t.deepEqual(told, ['a', 'c']);
});
