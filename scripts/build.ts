/**
 * Makes dist/, what the npm package runs: plain JavaScript of src/, the command ready to be called.
 *
 * Only this needs the TypeScript compiler to write anything; a checkout runs src/ as it is.
 */
import { chmod, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';

const root = dirname(import.meta.dirname);
const dist = join(root, 'dist');

await rm(dist, { recursive: true, force: true });
const compile = await execa(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--noEmitOnError'],
  { cwd: root, stdin: 'ignore', stdout: 'inherit', stderr: 'inherit', reject: false },
);
if (compile.failed) {
  process.exitCode = 1; // The compiler has said why.
} else {
  // Types alone: as JavaScript they are hundreds of empty files that nothing imports.
  await rm(join(dist, 'runtime', 'generated'), { recursive: true });
  await chmod(join(dist, 'main.js'), 0o755);
}
