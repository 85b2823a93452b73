/**
 * Makes dist/, what the npm package runs: plain JavaScript of src/, the command ready to be called.
 *
 * Only this needs the TypeScript compiler to write anything; a checkout runs src/ as it is.
 */
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';

const SHEBANG = '#!/usr/bin/env node\n';

const root = dirname(import.meta.dirname);
const command = join(root, 'dist', 'main.js');

await rm(join(root, 'dist'), { recursive: true, force: true });
await execa(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
const script = await readFile(command, 'utf8');
if (!script.startsWith('#!')) await writeFile(command, SHEBANG + script);
await chmod(command, 0o755);
