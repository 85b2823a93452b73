/** Whether an agent answers at its socket; none has to. */
import { connectAgent } from '../api/client.ts';
import { messageOf } from '../errors.ts';
import { ok, warn } from './finding.ts';
import type { Finding } from './finding.ts';
import { inTime, NoAnswer } from './in-time.ts';

/** It has nothing to look up, and nobody to ask. */
const WITHIN_MS = 5_000;

export async function checkAgent(socket: string, withinMs = WITHIN_MS): Promise<Finding> {
  try {
    const { gitVersion } = await inTime(withinMs, (signal) => connectAgent(socket).version(signal));
    return ok('agent', `${gitVersion} at ${socket}`);
  } catch (error) {
    if (error instanceof NoAnswer) {
      const next = 'see what it is at (journalctl -u reprise, or its output), or restart it';
      return warn('agent', `${error.message} at ${socket}`, next);
    }
    return ok('agent', `none answers: ${messageOf(error)}`);
  }
}
