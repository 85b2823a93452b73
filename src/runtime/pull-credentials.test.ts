import test from 'ava';
import { RepriseError } from '../errors.ts';
import type { Secret } from '../pod/objects.ts';
import { credentialsFor } from './pull-credentials.ts';

type Auths = Readonly<Record<string, object>>;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function aSecret(type: string, key: string, text: string): Secret {
  const metadata = { name: 'regcred', namespace: 'default', uid: '1', resourceVersion: '1' };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { ...metadata, creationTimestamp: '2026-01-01T00:00:00Z' },
    type,
    data: { [key]: base64(text) },
  };
}

const configOf = (auths: Auths): Secret =>
  aSecret('kubernetes.io/dockerconfigjson', '.dockerconfigjson', JSON.stringify({ auths }));

/** Entries whose user is named like the place. */
const of = (...places: string[]): Auths =>
  Object.fromEntries(places.map((place) => [place, { username: place, password: 'p' }]));

const users = (image: string, ...secrets: Secret[]): readonly (string | undefined)[] =>
  credentialsFor(image, secrets).map(({ username }) => username);

const matches: Record<string, { image: string; given: Auths; takes: readonly string[] }> = {
  'a host': { image: 'a.test/x:1', given: of('a.test', 'b.test'), takes: ['a.test'] },
  'a host with its port': {
    image: 'a.test:5000/x:1',
    given: of('a.test', 'a.test:5000', 'a.test:5001'),
    takes: ['a.test:5000'],
  },
  'an address': {
    image: '127.0.0.1:5000/x',
    given: of('127.0.0.1:5000'),
    takes: ['127.0.0.1:5000'],
  },
  'an IPv6 address': { image: '[::1]:5000/x', given: of('[::1]:5000'), takes: ['[::1]:5000'] },
  'the longest path first': {
    image: 'a.test/team/app/x@sha256:' + '0'.repeat(64),
    given: of('a.test', 'a.test/team/app', 'a.test/team', 'a.test/other'),
    takes: ['a.test/team/app', 'a.test/team', 'a.test'],
  },
  'a URL, with the version of the API': {
    image: 'a.test/x',
    given: of('https://a.test/v1/', 'http://a.test/v2/', 'https://a.test'),
    takes: ['https://a.test/v1/', 'http://a.test/v2/', 'https://a.test'],
  },
  'a path behind the version of the API': {
    image: 'a.test/team/x',
    given: of('https://a.test/v2/team', 'https://a.test/v2/other'),
    takes: ['https://a.test/v2/team'],
  },
  'wildcards, each for one part of the host': {
    image: 'eu.reg.test/x',
    given: of('*.reg.test', '*.test', 'e?.reg.test', '*.*.*', '*'),
    takes: ['e?.reg.test', '*.reg.test', '*.*.*'],
  },
  'a dot is a dot': { image: 'regxtest.test/x', given: of('reg.test.test'), takes: [] },
  "Docker's own registry for names without a host": {
    image: 'busybox',
    given: of('https://index.docker.io/v1/', 'a.test'),
    takes: ['https://index.docker.io/v1/'],
  },
  'its other name, which goes first': {
    image: 'team/app:1',
    given: of('https://index.docker.io/v1/', 'docker.io'),
    takes: ['docker.io'],
  },
  nothing: { image: 'a.test/x', given: of('https://index.docker.io/v1/'), takes: [] },
};
for (const [title, { image, given, takes }] of Object.entries(matches)) {
  test(`credentials are found by: ${title}`, (t) =>
    t.deepEqual(users(image, configOf(given)), takes));
}

test('secrets are taken in their order, in both of their formats', (t) => {
  const old = aSecret('kubernetes.io/dockercfg', '.dockercfg', JSON.stringify(of('a.test')));
  const other = configOf({ 'a.test': { username: 'second', password: 'p' } });
  t.deepEqual(users('a.test/x', old, other), ['a.test', 'second']);
  t.deepEqual(users('a.test/x', other, old), ['second', 'a.test']);
});

test('user and password come from auth if it is there, with all colons but the first', (t) => {
  const auth = base64('bob:open:sesame');
  const secret = configOf({ 'a.test': { username: 'x', password: 'y', auth } });
  t.deepEqual(credentialsFor('a.test/x', [secret]), [{ username: 'bob', password: 'open:sesame' }]);
});

test('a secret of another kind has nothing for registries', (t) => {
  const secret = aSecret('Opaque', '.dockerconfigjson', JSON.stringify({ auths: of('a.test') }));
  t.deepEqual(users('a.test/x', secret), []);
});

const unreadable: Record<string, string> = {
  'no JSON': 'hush-hush',
  'a list': '["hush-hush"]',
  'auths that are a text': '{"auths":"hush-hush"}',
  'an entry that is a text': '{"auths":{"a.test":"hush-hush"}}',
  'a password that is a number': '{"auths":{"a.test":{"username":"hush-hush","password":1}}}',
  'an auth without a colon': `{"auths":{"a.test":{"auth":"${base64('hush-hush')}"}}}`,
};
for (const [title, text] of Object.entries(unreadable)) {
  test(`${title} is refused without being quoted`, (t) => {
    const secret = aSecret('kubernetes.io/dockerconfigjson', '.dockerconfigjson', text);
    const error = t.throws(() => credentialsFor('a.test/x', [secret]), {
      instanceOf: RepriseError,
      message: /^the pull secret "regcred" cannot be read: /,
    });
    t.is(error.cause, undefined);
    t.notRegex(JSON.stringify([error.message, error.where, error.next]), /hush/);
  });
}
