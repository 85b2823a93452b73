/**
 * Which command was typed, known before commander reads the line: only its file is loaded.
 */
import type { Option } from 'commander';

/** The first word that is neither an option nor the value of one: `-n bench get pods` is `get`. */
export function typedCommand(
  args: readonly string[],
  globalOptions: readonly Pick<Option, 'short' | 'long' | 'required'>[],
): string | undefined {
  const takeValue = new Set(
    globalOptions.filter(({ required }) => required).flatMap(({ short, long }) => [short, long]),
  );
  return args.find((arg, index) => !arg.startsWith('-') && !takeValue.has(args[index - 1] ?? ''));
}
