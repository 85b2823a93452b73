/**
 * Options that are true or false, as kubectl takes them: a value comes only behind `=`, so that
 * `--wait pod web` means the pod.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { ParseOptionsResult } from 'commander';

/** An option of a CommandWithBooleans, such as `--wait` with `--wait=true` and `--wait=false`. */
export function booleanOption(long: string, description: string): Option {
  return new Option(`${long} [bool]`, description).argParser((text: string): boolean => {
    if (text === 'true' || text === 'false') return text === 'true';
    throw new InvalidArgumentError('It must be true or false.');
  });
}

/** A command whose options with an optional value are all of that kind. */
export class CommandWithBooleans extends Command {
  /** Commander would take the next argument for the value. */
  override parseOptions(args: string[]): ParseOptionsResult {
    const end = args.includes('--') ? args.indexOf('--') : args.length;
    const isBare = (arg: string, index: number): boolean =>
      index < end && this.options.some(({ long, optional }) => optional && long === arg);
    return super.parseOptions(args.map((arg, index) => (isBare(arg, index) ? `${arg}=true` : arg)));
  }
}
