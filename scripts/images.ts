/**
 * Makes the two images that examples, tests and every sandbox use, out of programs on this machine; and
 * for tests others like them.
 *
 * No registry is asked. The same programs give the same bytes and so the same digests. Run alone,
 * `node scripts/images.ts DIR` writes the archives, for `ctr -n k8s.io images import` anywhere.
 */
import { createHash } from 'node:crypto';
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { arch } from 'node:process';
import { execa } from 'execa';
import { RepriseError } from '../src/errors.ts';

/** An image in an OCI archive on disk. */
export interface BuiltImage {
  readonly name: string;
  readonly file: string;
  /** Of its manifest. */
  readonly digest: string;
}

/** What goes into an image of one layer with one program. */
interface Recipe {
  readonly name: string;
  /** Name of a statically linked program on this machine, and where it goes in the image. */
  readonly program: string;
  readonly target: string;
  readonly folders: Readonly<Record<string, number>>;
  readonly files: Readonly<Record<string, string>>;
  /** True if a link to the program is made for every command that it says it can be. */
  readonly linkCommands: boolean;
  readonly config: Readonly<Record<string, unknown>>;
}

const RECIPES: readonly Recipe[] = [
  {
    name: 'localhost/reprise/pause:1',
    program: 'catatonit',
    target: '/catatonit',
    folders: {},
    files: {},
    linkCommands: false,
    config: { Entrypoint: ['/catatonit', '-P'] },
  },
  {
    name: 'localhost/reprise/busybox:1',
    program: 'busybox',
    target: '/bin/busybox',
    folders: { root: 0o700, run: 0o755, tmp: 0o1777, var: 0o755 },
    files: {
      'etc/passwd': [
        'root:x:0:0:root:/root:/bin/sh',
        'app:x:1000:1000:app:/tmp:/bin/sh',
        'nobody:x:65534:65534:nobody:/:/bin/false',
        '',
      ].join('\n'),
      'etc/group': ['root:x:0:', 'app:x:1000:', 'more:x:5000:app', 'nogroup:x:65534:', ''].join(
        '\n',
      ),
    },
    linkCommands: true,
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Cmd: ['sh'],
      WorkingDir: '/',
    },
  },
];

/** Grows when the same recipe gives other bytes, so that none of the old ones are kept. */
const FORMAT = 1;

/** Builds the images into the folder; what was built from the same programs before is kept. */
export async function buildImages(dir: string = defaultFolder()): Promise<BuiltImage[]> {
  await mkdir(dir, { recursive: true });
  return Promise.all(RECIPES.map((recipe) => build(recipe, resolve(dir))));
}

/** Builds an image like busybox's whose containers are of another user, by number or by name. */
export async function buildImageOf(
  user: string,
  dir: string = defaultFolder(),
): Promise<BuiltImage> {
  const recipe = RECIPES.find(({ program }) => program === 'busybox');
  if (recipe === undefined) throw new Error('there is no recipe for busybox');
  await mkdir(dir, { recursive: true });
  const name = `localhost/reprise/busybox-of-${user}:1`;
  return await build({ ...recipe, name, config: { ...recipe.config, User: user } }, resolve(dir));
}

/** Builds the images if need be, and imports those that this containerd does not have. */
export async function importImages(containerd: {
  readonly ctr: (...args: string[]) => Promise<string>;
}): Promise<void> {
  const present = await containerd.ctr('images', 'ls');
  for (const { name, file, digest } of await buildImages()) {
    const has = present
      .split('\n')
      .some((row) => row.startsWith(`${name} `) && row.includes(digest));
    if (has) continue;
    await containerd.ctr('images', 'import', file);
    // The kubelet's way to keep an image from garbage collection; CRI pins its own pause image.
    if (name.includes('/pause:')) {
      await containerd.ctr('images', 'label', name, 'io.cri-containerd.pinned=pinned');
    }
  }
}

function defaultFolder(): string {
  return join(import.meta.dirname, '..', '.cache', 'images');
}

async function build(recipe: Recipe, dir: string): Promise<BuiltImage> {
  const program = await findProgram(recipe.program);
  const key = sha256(
    JSON.stringify([FORMAT, recipe, architecture(), sha256(await readFile(program))]),
  );
  const base = join(dir, `${recipe.program}-${key.slice(0, 16)}`);
  const [file, digestFile] = [`${base}.tar`, `${base}.digest`];
  const known = await readFile(digestFile, 'utf8').catch(() => undefined);
  if (known !== undefined) return { name: recipe.name, file, digest: known };

  const work = await mkdtemp(join(dir, 'build-'));
  try {
    await layOutFiles(recipe, program, join(work, 'rootfs'));
    await archive(join(work, 'rootfs'), join(work, 'layer.tar'));
    const digest = await layOutImage(recipe, join(work, 'layer.tar'), join(work, 'image'));
    await archive(join(work, 'image'), join(work, 'image.tar'));
    await rename(join(work, 'image.tar'), file);
    // Last, and whole: it says that the archive beside it is complete.
    await writeFile(join(work, 'digest'), digest);
    await rename(join(work, 'digest'), digestFile);
    return { name: recipe.name, file, digest };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function layOutFiles(recipe: Recipe, program: string, rootfs: string): Promise<void> {
  await makeFolder(rootfs);
  for (const [folder, mode] of Object.entries(recipe.folders)) {
    await makeFolder(join(rootfs, folder));
    await chmod(join(rootfs, folder), mode);
  }
  for (const [file, content] of Object.entries(recipe.files)) {
    await makeFolder(dirname(join(rootfs, file)));
    await writeFile(join(rootfs, file), content);
    await chmod(join(rootfs, file), 0o644);
  }
  const target = join(rootfs, recipe.target);
  await makeFolder(dirname(target));
  await copyFile(program, target);
  await chmod(target, 0o755);
  if (!recipe.linkCommands) return;

  const { stdout } = await execa(program, ['--list-full']);
  for (const command of stdout.split('\n')) {
    const link = join(rootfs, command);
    if (link === target || !link.startsWith(`${rootfs}/`)) continue;
    await makeFolder(dirname(link));
    await symlink(relative(dirname(link), target), link);
  }
}

/** Makes a folder and its parents with a mode that does not depend on the umask. */
async function makeFolder(folder: string): Promise<void> {
  let made = await mkdir(folder, { recursive: true });
  for (; made !== undefined; made = made === folder ? undefined : nextBelow(made, folder)) {
    await chmod(made, 0o755);
  }
}

function nextBelow(ancestor: string, folder: string): string {
  const [step = ''] = relative(ancestor, folder).split('/');
  return join(ancestor, step);
}

/** The OCI image layout with one image of one layer; returns the digest of its manifest. */
async function layOutImage(recipe: Recipe, layer: string, image: string): Promise<string> {
  const blobs = join(image, 'blobs', 'sha256');
  await makeFolder(blobs);
  const put = async (mediaType: string, content: Buffer): Promise<Descriptor> => {
    const hash = sha256(content);
    await writeFile(join(blobs, hash), content);
    return { mediaType, digest: `sha256:${hash}`, size: content.length };
  };
  const layerBlob = await put('application/vnd.oci.image.layer.v1.tar', await readFile(layer));
  const config = await put(
    'application/vnd.oci.image.config.v1+json',
    toJson({
      ...architecture(),
      os: 'linux',
      config: recipe.config,
      rootfs: { type: 'layers', diff_ids: [layerBlob.digest] },
    }),
  );
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = await put(
    mediaType,
    toJson({ schemaVersion: 2, mediaType, config, layers: [layerBlob] }),
  );
  const index = {
    schemaVersion: 2,
    manifests: [{ ...manifest, annotations: { 'io.containerd.image.name': recipe.name } }],
  };
  await writeFile(join(image, 'index.json'), toJson(index));
  await writeFile(join(image, 'oci-layout'), toJson({ imageLayoutVersion: '1.0.0' }));
  return manifest.digest;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** The same content gives the same bytes, whoever runs this and whenever. */
async function archive(folder: string, file: string): Promise<void> {
  const sameForAll = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
  await execa('tar', ['--create', '--format=ustar', ...sameForAll, '-f', file, '-C', folder, '.']);
}

async function findProgram(name: string): Promise<string> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, name);
    const isThere = await stat(file).then(
      (found) => found.isFile(),
      () => false,
    );
    if (folder !== '' && isThere) return file;
  }
  throw new RepriseError(`there is no program ${name} to make an image of`, {
    where: `PATH=${process.env['PATH'] ?? ''}`,
    next: 'run scripts/prepare',
  });
}

/** This machine's, in OCI's words. */
function architecture(): { architecture: string; variant?: string } {
  if (arch === 'x64') return { architecture: 'amd64' };
  if (arch === 'arm64') return { architecture: 'arm64', variant: 'v8' };
  if (arch === 'arm') return { architecture: 'arm', variant: 'v7' };
  if (arch === 'ppc64') return { architecture: 'ppc64le' };
  return { architecture: arch };
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function toJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

if (import.meta.main) {
  for (const { name, file, digest } of await buildImages(process.argv[2])) {
    console.log(`${name}  ${digest}  ${file}`);
  }
}
