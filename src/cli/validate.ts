/**
 * `reprise validate -f FILE`: judges manifests; needs no agent, no root, no containerd.
 */
import { Command } from 'commander';
import { podKey } from '../pod/pod.ts';
import { ManifestError } from '../manifest/manifest-error.ts';
import { errorLines } from './exit-code.ts';
import { collect, manifestsAt, readParts } from './manifest-file.ts';
import type { GlobalOptions } from './options.ts';
import { noteLine, printLine } from './output.ts';
import { UsageError } from './usage-error.ts';

interface ValidateOptions extends GlobalOptions {
  readonly filename: readonly string[];
}

/** The command as it is typed. */
export function validateCommand(): Command {
  return new Command('validate')
    .summary('say whether manifests can be run, and what is wrong')
    .description('Checks manifests; exits 2 if one of them cannot be run as written.')
    .requiredOption(
      '-f, --filename <file>',
      'manifest, YAML or JSON, or a folder of them; - is standard input; may be repeated',
      collect,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  reprise validate -f pod.yaml -f other.yaml\n  reprise validate -f manifests/',
    )
    .action(async (_: unknown, command: Command) => {
      await validate(command.optsWithGlobals());
    });
}

async function validate({ filename, namespace }: ValidateOptions): Promise<void> {
  for (const place of filename) {
    await tellFaults(async () => {
      for (const file of await manifestsAt(place)) {
        await tellFaults(() => validateFile(file, namespace));
      }
    });
  }
}

async function validateFile(file: string, namespace: string | undefined): Promise<void> {
  for (const part of await readParts([file], namespace)) {
    const [kind, one] = part.kind === 'pod' ? ['pod', part.pod] : [part.object.kind, part.object];
    printLine(`${file}: ${kind} ${podKey(one)} is valid`);
  }
}

/** The faults of one file do not hide those of the next. */
async function tellFaults(judge: () => Promise<void>): Promise<void> {
  try {
    await judge();
  } catch (error) {
    if (!(error instanceof ManifestError || error instanceof UsageError)) throw error;
    for (const line of errorLines(error, false)) noteLine(line);
    process.exitCode = 2;
  }
}
