/**
 * Which images were pulled with credentials, and with which: `<data-dir>/pulled-images.json`.
 *
 * An image that is there could be used by everybody. But one that its registry gives to some only
 * is not for others on the same node, whatever their pull policy says: a pod without the credentials
 * has to ask the registry (the kubelet's KubeletEnsureSecretPulledImages). Nothing is said of images
 * that were pulled without credentials or came to the node in another way: these are everybody's.
 *
 * Credentials are kept as keyed hashes; the file is for root alone.
 */
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { RepriseError, messageOf } from '../errors.ts';
import { repositoryOf } from '../runtime/image-name.ts';
import type { AuthConfig } from '../runtime/generated/runtime/v1/AuthConfig.ts';

/** Who may use an image under a name: everybody, or who has one of these credentials. */
type Users = 'everybody' | readonly string[];

interface Content {
  /** By image id, then by repository. */
  readonly images: Readonly<Record<string, Readonly<Record<string, Users>>>>;
  /** Names of images whose pull with credentials has begun and is not known to have ended. */
  readonly begun: readonly string[];
}

export class PulledImages {
  readonly #file: string;
  #content: Content = { images: {}, begun: [] };

  constructor(dataDir: string) {
    this.#file = path.join(dataDir, 'pulled-images.json');
  }

  /** Reads what was kept; a fault is returned, and then every image there is counts as everybody's. */
  load(): readonly RepriseError[] {
    if (!fs.existsSync(this.#file)) return [];
    try {
      this.#content = JSON.parse(fs.readFileSync(this.#file, 'utf8')) as Content;
      return [];
    } catch (error) {
      return [
        new RepriseError(`what is known of pulled images cannot be read: ${messageOf(error)}`, {
          where: this.#file,
          next: 'nothing: it is written anew, but pods can use every image that is there already',
        }),
      ];
    }
  }

  /** Whether an image may be used as it is, by somebody who has these credentials for it. */
  mayUse(image: string, id: string, credentials: () => readonly AuthConfig[]): boolean {
    const known = this.#content.images[id];
    // Cut short by a crash: it may be there by now, and nobody has noted for whom.
    const repository = repositoryOf(image);
    if (known === undefined) {
      return !this.#content.begun.some((each) => repositoryOf(each) === repository);
    }
    const users = known[repository] ?? [];
    if (users === 'everybody') return true;
    return credentials().some((each) => users.includes(hashOf(id, each)));
  }

  /** To be called before an image is pulled with credentials; false if an earlier pull is in doubt. */
  began(image: string): boolean {
    const { begun } = this.#content;
    if (begun.includes(image)) return false;
    this.#keep({ begun: [...begun, image] });
    return true;
  }

  /** The one pull of an image that had begun has failed for sure: it has brought nothing. */
  failed(image: string): void {
    const { begun } = this.#content;
    if (begun.includes(image)) this.#keep({ begun: begun.filter((each) => each !== image) });
  }

  /** An image was pulled, with these credentials or with none. */
  succeeded(image: string, id: string, credentials: AuthConfig | undefined): void {
    const { images, begun } = this.#content;
    const repository = repositoryOf(image);
    const users = images[id]?.[repository];
    const next = { begun: begun.filter((each) => each !== image) };
    const isNews =
      credentials === undefined
        ? images[id] !== undefined && users !== 'everybody'
        : users !== 'everybody' && !users?.includes(hashOf(id, credentials));
    if (!isNews) {
      if (next.begun.length < begun.length) this.#keep(next);
      return;
    }
    const now: Users =
      credentials === undefined
        ? 'everybody'
        : [...(users === 'everybody' ? [] : (users ?? [])), hashOf(id, credentials)];
    this.#keep({ ...next, images: { ...images, [id]: { ...images[id], [repository]: now } } });
  }

  #keep(change: Partial<Content>): void {
    this.#content = { ...this.#content, ...change };
    writeFileAtomic.sync(this.#file, JSON.stringify(this.#content), { mode: 0o600 });
  }
}

function hashOf(id: string, { username = '', password = '' }: AuthConfig): string {
  return createHmac('sha256', id)
    .update(JSON.stringify([username, password]))
    .digest('hex');
}
