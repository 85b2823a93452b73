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

/** Bytes of lines that wait for a full disk; more than any line has. */
const MOST_WAITING = 1024 * 1024;

/**
 * A logger that writes synchronously, so that the last words before a crash are not lost. Lines that
 * cannot be written wait until that is possible again, and are dropped when there are too many.
 */
export function createLogger(options: { level: LogLevel; descriptor?: number }): Logger {
  const lines = destination({
    dest: options.descriptor ?? 2,
    sync: true,
    maxLength: MOST_WAITING,
  });
  // Without a listener the error would be thrown at whoever logs, who has done nothing wrong.
  lines.on('error', () => undefined);
  return pino(
    {
      level: options.level,
      base: undefined,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    lines,
  );
}
