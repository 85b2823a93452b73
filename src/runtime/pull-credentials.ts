/**
 * Which credentials a pull of an image may use, out of the Secrets that a pod names.
 *
 * Read and matched as the kubelet does it (pkg/credentialprovider/keyring.go and config.go): by host,
 * port and the beginning of the path, with `*` and `?` inside the parts of a host's name. No message
 * here quotes anything of a Secret.
 */
import { RepriseError } from '../errors.ts';
import type { Secret } from '../pod/objects.ts';
import { own } from '../pod/own.ts';
import type { AuthConfig } from './generated/runtime/v1/AuthConfig.ts';
import { repositoryOf } from './image-name.ts';

/** One entry of a Docker configuration. */
interface Entry {
  /** `host[:port][/path]`; parts of the host may hold `*` and `?`. */
  readonly place: string;
  readonly auth: AuthConfig;
}

/** Where each kind of Secret has its registries; a Secret of another kind has none. */
const formats: Readonly<Record<string, { key: string; within?: 'auths' }>> = {
  'kubernetes.io/dockerconfigjson': { key: '.dockerconfigjson', within: 'auths' },
  'kubernetes.io/dockercfg': { key: '.dockercfg' },
};

/** How Docker's own registry is called where credentials for it are kept. */
const dockerHub = 'index.docker.io';

/**
 * The credentials for an image, those of the longest match first; none: it is pulled as nobody in
 * particular. Throws a RepriseError when a Secret cannot be read.
 */
export function credentialsFor(image: string, secrets: readonly Secret[]): readonly AuthConfig[] {
  const entries = secrets.flatMap(entriesOf);
  const places = [...new Set(entries.map(({ place }) => place))].toSorted().toReversed();
  const at = (place: string): readonly AuthConfig[] =>
    entries.filter((entry) => entry.place === place).map(({ auth }) => auth);
  const repository = repositoryOf(image);
  const found = places.filter((place) => covers(place, repository)).flatMap(at);
  if (found.length > 0 || !repository.startsWith('docker.io/')) return found;
  return at(dockerHub);
}

function entriesOf(secret: Secret): readonly Entry[] {
  const format = own(formats, secret.type);
  const base64 = format && secret.data?.[format.key];
  if (format === undefined || base64 === undefined || base64 === '') return [];
  const config = parseObject(secret, Buffer.from(base64, 'base64').toString());
  const registries = format.within === undefined ? config : (config[format.within] ?? {});
  return Object.entries(asObject(secret, registries)).map(([name, entry]) => ({
    place: placeOf(name),
    auth: authOf(secret, asObject(secret, entry)),
  }));
}

/** `https://host/v1/` and `host` mean the same to docker. */
function placeOf(name: string): string {
  return name
    .replace(/^https?:\/\//, '')
    .replace(/^([^/]*)\/v[12]\//, '$1/')
    .replace(/^([^/]*)\/$/, '$1');
}

function authOf(secret: Secret, entry: Readonly<Record<string, unknown>>): AuthConfig {
  const { username = '', password = '', auth = '' } = entry;
  if (typeof username !== 'string' || typeof password !== 'string' || typeof auth !== 'string') {
    throw unreadable(secret, 'username, password and auth must be text');
  }
  if (auth === '') return { username, password };
  const [, user, word] = /^([^:]*):(.*)$/s.exec(Buffer.from(auth, 'base64').toString()) ?? [];
  if (user === undefined || word === undefined) {
    throw unreadable(secret, 'auth must be "username:password" in base64');
  }
  return { username: user, password: word };
}

function covers(place: string, repository: string): boolean {
  const [pattern, start] = splitPlace(place);
  const [host, path] = splitPlace(repository);
  if (pattern.port !== host.port || pattern.parts.length !== host.parts.length) return false;
  return (
    path.startsWith(start) &&
    pattern.parts.every((part, index) => isLike(host.parts[index] ?? '', part))
  );
}

/** A host, as parts and port, and the path after it with its slash. */
function splitPlace(place: string): [{ parts: readonly string[]; port: string }, string] {
  const [, name = '', port = '', path = ''] =
    /^(\[[^\]]*\]|[^/:]*)(?::(\d*))?(\/.*)?$/s.exec(place) ?? [];
  return [{ parts: name.split('.'), port }, path];
}

function isLike(part: string, pattern: string): boolean {
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`).test(part);
}

function parseObject(secret: Secret, text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Without the cause: it quotes the text.
    throw unreadable(secret, 'it is no JSON');
  }
  return asObject(secret, value);
}

function asObject(secret: Secret, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw unreadable(secret, 'an object is missing where Docker has one');
}

function unreadable({ metadata }: Secret, why: string): RepriseError {
  return new RepriseError(`the pull secret "${metadata.name}" cannot be read: ${why}`, {
    where: `Secret ${metadata.namespace}/${metadata.name}`,
    next: 'make it again: kubectl create secret docker-registry --dry-run=client -o yaml',
  });
}
