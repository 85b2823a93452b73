/**
 * A registry of images for a test: Debian's docker-registry on a loopback port, with images put
 * there by skopeo. It can be taken away and come back with what it has.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import http from 'node:http';
import type net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { buildImages } from '../scripts/images.ts';
import type { PrivateContainerd } from '../scripts/private-containerd/start.ts';
import { freePort } from './free-port.ts';
import { until } from './node.ts';

/** Who may use a registry: with the password "open sesame", of which it has only the hash. */
export const password = 'open sesame';
const passwordHash = '$2b$04$/udYLGmLBIp1eY0sam1WUOKnCePXygF1UTcqOKyYjdyEB9SkTZtWm';

export class Registry {
  /** `127.0.0.1:PORT`, as image names begin. */
  readonly host: string;
  readonly #dir: string;
  readonly #user: string | undefined;
  #server: ChildProcess | undefined;

  /** Without a user it serves everybody. */
  constructor(dir: string, host: string, user?: string) {
    this.#dir = dir;
    this.host = host;
    this.#user = user;
  }

  async start(): Promise<void> {
    const config = path.join(this.#dir, 'config.json');
    const settings = {
      version: '0.1',
      log: { accesslog: { disabled: false }, level: 'error' },
      storage: { filesystem: { rootdirectory: path.join(this.#dir, 'storage') } },
      http: { addr: this.host },
      ...(this.#user !== undefined && {
        auth: { htpasswd: { realm: 'test', path: path.join(this.#dir, 'htpasswd') } },
      }),
    };
    if (this.#user !== undefined) {
      await fs.writeFile(path.join(this.#dir, 'htpasswd'), `${this.#user}:${passwordHash}\n`);
    }
    // JSON is YAML.
    await fs.writeFile(config, JSON.stringify(settings));
    const log = await fs.open(this.#log, 'a');
    this.#server = spawn('docker-registry', ['serve', config], {
      stdio: ['ignore', log.fd, log.fd],
    });
    await once(this.#server, 'spawn');
    await log.close();
    await until('the registry answers', async () => {
      const answer = await fetch(`http://${this.host}/v2/`).catch(() => undefined);
      return answer !== undefined;
    });
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined || server.exitCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  }

  /** Puts one of the local images there; returns its digest. */
  async push(source: 'busybox' | 'pause', target: string): Promise<string> {
    const image = (await buildImages()).find(({ name }) => name.includes(`/${source}:`));
    if (image === undefined) throw new Error(`there is no image ${source}`);
    await execa('skopeo', [
      'copy',
      '--insecure-policy',
      '--preserve-digests',
      '--dest-tls-verify=false',
      ...(this.#user === undefined ? [] : [`--dest-creds=${this.#user}:${password}`]),
      `oci-archive:${image.file}`,
      `docker://${this.host}/${target}`,
    ]);
    return image.digest;
  }

  /** Puts an image there that no containerd has anything of: a shell, and a megabyte of noise. */
  async pushUnheardOf(repository: string, tag: string): Promise<void> {
    const rootfs = await fs.mkdtemp(path.join(this.#dir, 'rootfs-'));
    await fs.mkdir(path.join(rootfs, 'bin'));
    const { stdout: busybox } = await execa('which', ['busybox']);
    await fs.copyFile(busybox, path.join(rootfs, 'bin', 'sh'));
    await fs.writeFile(path.join(rootfs, 'noise'), randomBytes(2 ** 20));
    const tar = await execa('tar', ['-cf', '-', '-C', rootfs, '.'], { encoding: 'buffer' });
    const layer = await this.#putBlob(repository, Buffer.from(tar.stdout));
    const platform = { architecture: process.arch === 'x64' ? 'amd64' : process.arch, os: 'linux' };
    const content = { ...platform, rootfs: { type: 'layers', diff_ids: [layer.digest] } };
    const config = await this.#putBlob(repository, Buffer.from(JSON.stringify(content)));
    const oci = 'application/vnd.oci.image';
    const mediaType = `${oci}.manifest.v1+json`;
    const manifest = {
      schemaVersion: 2,
      mediaType,
      config: { mediaType: `${oci}.config.v1+json`, ...config },
      layers: [{ mediaType: `${oci}.layer.v1.tar`, ...layer }],
    };
    await this.#put(`/v2/${repository}/manifests/${tag}`, JSON.stringify(manifest), mediaType);
  }

  async #putBlob(repository: string, blob: Buffer): Promise<{ digest: string; size: number }> {
    const digest = `sha256:${createHash('sha256').update(blob).digest('hex')}`;
    const url = `http://${this.host}/v2/${repository}/blobs/uploads/`;
    const begun = await fetch(url, { method: 'POST' });
    const place = new URL(begun.headers.get('location') ?? '', url);
    place.searchParams.set('digest', digest);
    await this.#put(place.pathname + place.search, blob, 'application/octet-stream');
    return { digest, size: blob.length };
  }

  async #put(where: string, body: Buffer | string, type: string): Promise<void> {
    const answer = await fetch(`http://${this.host}${where}`, {
      method: 'PUT',
      headers: { 'content-type': type },
      body: typeof body === 'string' ? body : new Uint8Array(body),
    });
    if (!answer.ok) throw new Error(`the registry does not take ${where}: ${await answer.text()}`);
  }

  /** How often somebody asked what a tag or digest stands for. */
  async asked(repository: string, tag: string): Promise<number> {
    return (await this.#requests(repository, tag)).length;
  }

  /** How often somebody asked that and was told: who has no right to know asks in vain. */
  async told(repository: string, tag: string): Promise<number> {
    const requests = await this.#requests(repository, tag);
    return requests.filter((line) => / HTTP\/[\d.]+" 200 /.test(line)).length;
  }

  /** The registry writes them down before it answers. */
  async #requests(repository: string, tag: string): Promise<readonly string[]> {
    const log = await fs.readFile(this.#log, 'utf8');
    const request = `/v2/${repository}/manifests/${tag} HTTP`;
    return log.split('\n').filter((line) => line.includes(request));
  }

  get #log(): string {
    return path.join(this.#dir, 'log');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await fs.rm(this.#dir, { recursive: true, force: true });
  }
}

/** Lets a containerd talk plain HTTP to a registry; before 2.1 it does so on loopback unasked. */
export async function allowHttp(
  { registriesDir }: Pick<PrivateContainerd, 'registriesDir'>,
  { host }: { readonly host: string },
): Promise<void> {
  const directory = path.join(registriesDir, host);
  await fs.mkdir(directory, { recursive: true });
  await fs.writeFile(path.join(directory, 'hosts.toml'), `server = "http://${host}"\n`);
}

/** A way to a registry on which every large blob stops half-way until the gate is opened. */
export interface SlowWay extends AsyncDisposable {
  readonly host: string;
  readonly open: () => void;
}

/** Opens such a way. */
export async function slowWayTo({ host }: Registry): Promise<SlowWay> {
  const gate = Promise.withResolvers<undefined>();
  const server = http.createServer((request, response) => {
    const { method, headers } = request;
    const onward = http.request(`http://${host}${request.url ?? ''}`, { method, headers });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      const length = Number(answer.headers['content-length'] ?? 0);
      const slowed = length > 100_000 ? halfWay(answer, length / 2, gate.promise) : answer;
      pipeline(slowed, response).catch(() => response.destroy());
    });
    pipeline(request, onward).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    open: () => gate.resolve(undefined),
    [Symbol.asyncDispose]: async () => {
      gate.resolve(undefined);
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function* halfWay(
  blocks: AsyncIterable<Buffer>,
  half: number,
  gate: Promise<unknown>,
): AsyncGenerator<Buffer, void, undefined> {
  let sent = 0;
  for await (const block of blocks) {
    yield block;
    sent += block.length;
    if (sent >= half) await gate;
  }
}

/** Starts an empty registry that serves everybody, or that user alone. */
export async function startRegistry(user?: string): Promise<Registry> {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-registry-'));
  const registry = new Registry(dir, `127.0.0.1:${await freePort()}`, user);
  await registry.start();
  return registry;
}
