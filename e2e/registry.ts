/**
 * A registry of images for a test: Debian's docker-registry on a loopback port, with images put
 * there by skopeo. It can be taken away and come back with what it has.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { buildImages } from '../scripts/images.ts';
import { until } from './node.ts';

/** Who may pull, and with what. */
export const account = { username: 'ann', password: 'open sesame' };
/** bcrypt of it; the only kind that the registry takes. */
const htpasswd = `${account.username}:$2b$04$/udYLGmLBIp1eY0sam1WUOKnCePXygF1UTcqOKyYjdyEB9SkTZtWm\n`;

export class Registry {
  /** `127.0.0.1:PORT`, as image names begin. */
  readonly host: string;
  readonly #dir: string;
  readonly #isPrivate: boolean;
  #server: ChildProcess | undefined;

  constructor(dir: string, host: string, isPrivate: boolean) {
    this.#dir = dir;
    this.host = host;
    this.#isPrivate = isPrivate;
  }

  async start(): Promise<void> {
    const config = path.join(this.#dir, 'config.json');
    const auth = { htpasswd: { realm: 'test', path: path.join(this.#dir, 'htpasswd') } };
    await fs.writeFile(auth.htpasswd.path, htpasswd);
    const settings = {
      version: '0.1',
      log: { accesslog: { disabled: false }, level: 'error' },
      storage: { filesystem: { rootdirectory: path.join(this.#dir, 'storage') } },
      http: { addr: this.host },
      ...(this.#isPrivate && { auth }),
    };
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
    const { username, password } = account;
    await execa('skopeo', [
      'copy',
      '--insecure-policy',
      '--preserve-digests',
      '--dest-tls-verify=false',
      ...(this.#isPrivate ? ['--dest-creds', `${username}:${password}`] : []),
      `oci-archive:${image.file}`,
      `docker://${this.host}/${target}`,
    ]);
    return image.digest;
  }

  /** How often somebody asked what a tag or digest stands for. */
  async asked(repository: string, tag: string): Promise<number> {
    const log = await fs.readFile(this.#log, 'utf8');
    const request = `/v2/${repository}/manifests/${tag} HTTP`;
    return log.split('\n').filter((line) => line.includes(request)).length;
  }

  get #log(): string {
    return path.join(this.#dir, 'log');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await fs.rm(this.#dir, { recursive: true, force: true });
  }
}

/** Starts an empty registry; `isPrivate`: it serves nobody but `account`. */
export async function startRegistry({ isPrivate = false } = {}): Promise<Registry> {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'reprise-registry-'));
  const registry = new Registry(dir, `127.0.0.1:${await freePort()}`, isPrivate);
  await registry.start();
  return registry;
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
