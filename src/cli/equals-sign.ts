/**
 * Options with an equals sign, as kubectl takes them: `-o=json` is `-o json`, and every option that is
 * true or false takes that behind the sign, `--follow=true`, `-A=true`, `--no-headers=false`. Never as
 * the next argument: `--wait pod web` means the pod.
 *
 * Source: pflag, which kubectl reads its options with.
 */
import { Option } from 'commander';
import type { Command } from 'commander';

/** The command with what is written so rewritten into what commander knows, up to `--`. */
export function withEqualsSigns<C extends Command>(command: C): C {
  const parse = command.parseOptions.bind(command);
  command.parseOptions = (args) => {
    const end = args.includes('--') ? args.indexOf('--') : args.length;
    const before = args.slice(0, end).flatMap((arg) => rewritten(command, arg));
    return parse([...before, ...args.slice(end)]);
  };
  return command;
}

/** The command with an opposite of each option that takes no value, where there is none, for `=false`. */
export function withOpposites<C extends Command>(command: C): C {
  const switches = command.options.filter(isSwitch);
  for (const option of switches) {
    const opposite = oppositeOf(option);
    if (switches.some(({ long }) => long === opposite)) continue;
    // As commander has it of a `--no-headers` that is alone.
    const byDefault = option.negate ? true : undefined;
    command.addOption(new Option(opposite).default(byDefault).hideHelp());
  }
  return command;
}

function rewritten(command: Command, arg: string): readonly string[] {
  const [, flag, value = ''] = /^(-\w|--[\w-]+)=(.*)$/s.exec(arg) ?? [];
  const option = command.options.find(({ short, long }) => flag === short || flag === long);
  if (flag === undefined || option === undefined) return [arg];
  if (!isSwitch(option)) return flag === option.short ? [flag, value] : [arg];
  if (value === 'true') return [flag];
  if (value === 'false') return [oppositeOf(option)];
  return command.error(
    `error: option '${option.flags}' value '${value}' is invalid. It must be true or false.`,
  );
}

function isSwitch({ required, optional }: Option): boolean {
  return !required && !optional;
}

/** `--wait` of `--no-wait`, and the other way round. */
function oppositeOf({ long, negate }: Option): string {
  const name = (long ?? '').replace(/^--/, '');
  return negate ? `--${name.replace(/^no-/, '')}` : `--no-${name}`;
}
