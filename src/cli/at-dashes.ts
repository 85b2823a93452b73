/** Commands that are typed behind `--`. */

/** What was typed of a pod, and the command for a container of it. */
export interface Typed {
  readonly pod: readonly string[];
  readonly command: readonly string[];
}

/** Everything after the first `--` is the command. */
export function splitAtDashes(args: readonly string[], typed: readonly string[]): Typed {
  const at = typed.indexOf('--');
  const count = at < 0 ? 0 : typed.length - at - 1;
  return { pod: args.slice(0, args.length - count), command: args.slice(args.length - count) };
}
