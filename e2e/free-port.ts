/** A TCP port that nobody listens on at the moment. */
import { once } from 'node:events';
import net from 'node:net';

/** Asks the kernel for one on every address. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
