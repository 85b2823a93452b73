/**
 * `scripts/containerd-line LINE`: prints the folder that CONTAINERD_BIN_DIR wants for this line.
 */
import { parseArgs } from 'node:util';
import { containerdOf, isLine, LINES } from './containerd-lines.ts';
import { isUsageError, tellError } from './tell-error.ts';

const HELP = `Usage: scripts/containerd-line ${LINES.join('|')}

Prints the folder with a containerd of this line. It is fetched as a Debian package and unpacked
below .cache/, once; nothing is installed. Nothing is printed if this machine's own is of the line.

  CONTAINERD_BIN_DIR=$(scripts/containerd-line 2.1) scripts/containerd start DIR
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h', default: false } },
  });
  const [line = '', ...more] = positionals;
  if (!values.help && isLine(line) && more.length === 0) {
    const { binDir } = await containerdOf(line);
    if (binDir !== undefined) console.log(binDir);
    return 0;
  }
  (values.help ? process.stdout : process.stderr).write(HELP);
  return values.help ? 0 : 2;
}

try {
  process.exitCode = await main();
} catch (error) {
  tellError(error);
  process.exitCode = isUsageError(error) ? 2 : 1;
}
