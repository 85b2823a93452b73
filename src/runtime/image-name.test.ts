import test from 'ava';
import { fullImageName, repositoryOf } from './image-name.ts';

const digest = `sha256:${'0'.repeat(64)}`;

const names: Record<string, string | undefined> = {
  busybox: 'busybox:latest',
  'busybox:1.36': 'busybox:1.36',
  'localhost/watcher:1': 'localhost/watcher:1',
  'localhost:5000/a/b': 'localhost:5000/a/b:latest',
  '[::1]:5000/a:b': '[::1]:5000/a:b',
  'registry.example.org/my_team/my--app': 'registry.example.org/my_team/my--app:latest',
  [`busybox@${digest}`]: `busybox@${digest}`,
  [`busybox:1@${digest}`]: `busybox:1@${digest}`,
  'Registry/App': undefined,
  'registry/App': undefined,
  'a b': undefined,
  'a:': undefined,
  'a@sha256:12': undefined,
  '-a': undefined,
  'a//b': undefined,
  'http://a/b': undefined,
  ['a'.repeat(64)]: undefined,
  ['g'.repeat(256)]: undefined,
  '': undefined,
};
for (const [image, full] of Object.entries(names)) {
  const title = `"${image.slice(0, 40)}" ${full === undefined ? 'is no image name' : `is ${full}`}`;
  test(title, (t) => t.is(fullImageName(image), full));
}

const repositories: Record<string, string> = {
  busybox: 'docker.io/library/busybox',
  'busybox:1.36': 'docker.io/library/busybox',
  'team/app': 'docker.io/team/app',
  'docker.io/busybox': 'docker.io/library/busybox',
  'index.docker.io/team/app:1': 'docker.io/team/app',
  'localhost/watcher:1': 'localhost/watcher',
  'localhost:5000/a/b:1': 'localhost:5000/a/b',
  '[::1]:5000/a:b': '[::1]:5000/a',
  [`a.test/b@${digest}`]: 'a.test/b',
  [`a.test/b:1@${digest}`]: 'a.test/b',
};
for (const [image, repository] of Object.entries(repositories)) {
  test(`"${image.slice(0, 40)}" is in ${repository}`, (t) => t.is(repositoryOf(image), repository));
}
