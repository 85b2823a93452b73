/**
 * Has an agent collect its garbage, so that its memory tells what it holds. What it has finished with stays
 * until V8 finds it worth the work, which is after some thousand restarts.
 */
import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** For the environment of that agent; nothing listens before it gets SIGUSR1. */
export const inspectable = { NODE_OPTIONS: '--inspect-port=127.0.0.1:0' };

/** The address of its inspector, which listens from now on, for this machine only. */
export async function openInspector(agent: {
  readonly stderr: Readable;
  readonly kill: (signal: 'SIGUSR1') => boolean;
}): Promise<string> {
  const address = Promise.withResolvers<string>();
  let said = '';
  agent.stderr.on('data', (data: Buffer) => {
    said += data.toString();
    const [, found] = /^Debugger listening on (ws:\S+)$/m.exec(said) ?? [];
    if (found !== undefined) address.resolve(found);
  });
  agent.kill('SIGUSR1');
  return await address.promise;
}

export async function collectGarbage(inspector: string): Promise<void> {
  const socket = new WebSocket(inspector);
  await once(socket, 'open');
  socket.send(JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' }));
  const [{ data }] = (await once(socket, 'message')) as [{ readonly data: string }];
  socket.close();
  if (!/"result":/.test(data)) throw new Error(data);
}
