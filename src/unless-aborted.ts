/** Waits that end with a signal, though what is waited for knows nothing of it. */

/** The result, unless the signal comes first or has come already: then it throws the signal's reason. */
export async function unlessAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([aborted, result]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
