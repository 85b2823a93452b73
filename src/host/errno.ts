/** The one place that knows what an error of the operating system looks like. */

/** Whether an error is one of the operating system with one of these codes (`ENOENT`, ...). */
export function isErrno(
  error: unknown,
  ...codes: readonly string[]
): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
