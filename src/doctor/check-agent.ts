/** Whether an agent answers at its socket; none has to. */
import { connectAgent } from '../api/client.ts';
import { messageOf } from '../errors.ts';
import { ok } from './finding.ts';
import type { Finding } from './finding.ts';

export async function checkAgent(socket: string, signal: AbortSignal): Promise<Finding> {
  try {
    const { gitVersion } = await connectAgent(socket).version(signal);
    return ok('agent', `${gitVersion} at ${socket}`);
  } catch (error) {
    signal.throwIfAborted();
    return ok('agent', `none answers: ${messageOf(error)}`);
  }
}
