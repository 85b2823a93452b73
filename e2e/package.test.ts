// What npm installs is the whole program, and nothing but the program.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { execa } from 'execa';
import type { TestNode } from './node.ts';
import { startNode } from './node.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const shared: { node?: TestNode } = {};

test.before(async () => {
  shared.node = await startNode();
});

test.after.always('nothing is left', async () => {
  await shared.node?.[Symbol.asyncDispose]();
});

/** The tarball that \`npm pack\` makes in this folder. */
async function pack(folder: string): Promise<string> {
  fs.mkdirSync(folder);
  await execa('npm', ['pack', '--pack-destination', folder], { cwd: root });
  const [tarball = ''] = fs.readdirSync(folder);
  return path.join(folder, tarball);
}

/** The files of a folder, at any depth, by their path in the checkout. */
function filesIn(folder: string): string[] {
  return fs
    .readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.relative(root, path.join(parentPath, name)));
}

/** The program as JavaScript, what it reads, and what its users read: nothing that only we need. */
function expectedFiles(): string[] {
  const program = filesIn('src')
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .filter((file) => !/^src\/(testing|runtime\/generated)\//.test(file))
    .map((file) => file.replace(/^src\/(.*)\.ts$/, 'dist/$1.js'));
  const protos = filesIn('proto').filter((file) => file.endsWith('.proto'));
  const rest = ['docs', 'examples', 'packaging'].flatMap(filesIn);
  return [
    ...['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'],
    ...[...program, ...protos, ...rest],
  ].toSorted();
}

test('packed and installed, it runs a pod', async (t) => {
  const { node } = shared;
  if (node === undefined) throw new Error('the node has not started');
  const tarball = await pack(path.join(node.dir, 'pack'));
  const { stdout } = await execa('tar', ['--list', '--file', tarball]);
  const files = stdout.split('\n').map((file) => file.replace(/^package\//, ''));
  t.deepEqual(files.toSorted(), expectedFiles());
  const { size } = fs.statSync(tarball);
  t.true(size < 600_000, `${size} bytes`);

  const prefix = path.join(node.dir, 'prefix');
  const quietly = ['--prefer-offline', '--no-audit', '--no-fund'];
  await execa('npm', ['install', '--global', '--prefix', prefix, ...quietly, tarball]);
  // npm may belong to an older Node.js; the installed command finds ours.
  const PATH = `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
  const reprise = async (...args: string[]): Promise<string> => {
    const program = path.join(prefix, 'bin', 'reprise');
    const { all } = await execa(program, args, {
      cwd: '/',
      env: { ...node.env, PATH },
      all: true,
    });
    return all;
  };

  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  t.is(await reprise('--version'), version);
  t.true((await reprise('version')).startsWith(`reprise ${version} on Node.js `));
  const hello = path.join(prefix, 'lib/node_modules/reprise/examples/hello.yaml');
  t.is(await reprise('validate', '-f', hello), `${hello}: pod default/hello is valid`);
  const installed = path.join(prefix, 'lib/node_modules/reprise/dist');
  const scripts = fs.readdirSync(installed, { recursive: true, encoding: 'utf8' });
  const sourceImports = scripts
    .filter((file) => file.endsWith('.js'))
    // The compiler has been seen to leave some as they are: such a command then ends at once.
    .filter((file) =>
      /["']\.{1,2}\/[^"'\n]+\.ts["']/.test(fs.readFileSync(path.join(installed, file), 'utf8')),
    );
  t.deepEqual(sourceImports, []);

  const story = await reprise('run', '-f', hello);
  t.regex(story, /hello +exited with code 0/);
  t.regex(story, /\(pod\) +Succeeded$/);
  t.deepEqual(await node.traces(), []);

  const agent = execa(path.join(prefix, 'bin', 'reprise'), ['agent'], {
    cwd: '/',
    env: { ...node.env, PATH },
    reject: false,
    all: true,
    forceKillAfterDelay: false,
  });
  for await (const line of agent.iterable({ from: 'all' })) {
    if (line.includes('the agent is ready')) agent.kill('SIGTERM');
  }
  const { exitCode, all } = await agent;
  t.is(exitCode, 0, all);
});
