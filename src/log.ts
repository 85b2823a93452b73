/**
 * The one logger: JSON lines, one object per line, on the given descriptor.
 *
 * What a line is about goes into fields (`pod`, `container`), what happened into the message. An
 * error is logged once, where it stops.
 */
import { destination, pino, stdTimeFunctions } from 'pino';
import type { Logger } from 'pino';

export type { Logger } from 'pino';

/** Levels as REPRISE_LOG_LEVEL takes them, the loudest first. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

export type LogLevel = (typeof logLevels)[number];

/** A logger that writes synchronously, so that the last words before a crash are not lost. */
export function createLogger(options: { level: LogLevel; descriptor?: number }): Logger {
  return pino(
    {
      level: options.level,
      base: undefined,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ dest: options.descriptor ?? 2, sync: true }),
  );
}
