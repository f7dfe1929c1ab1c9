import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import type { TestSidecarOptions } from './sidecar.ts';

/** Lets a test's own server listen on a free port, and says how a sidecar reaches it as its store. */
export async function listenAsStore(server: Server): Promise<NonNullable<TestSidecarOptions['backend']>> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { endpoint, accessKeyId: 'KEY', secretAccessKey: 'store-secret' };
}
