import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { addressOf } from '../support/address.ts';

/** How to reach a store, and its key. */
export interface FakeStore {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** A store that does what the test says with each request, once its body has been read. */
export async function startFakeStore(
  answer: (message: IncomingMessage, response: ServerResponse) => void,
): Promise<FakeStore> {
  const store = createServer((message, response) => {
    message.resume().on('end', () => answer(message, response));
  }).listen(0, '127.0.0.1');
  await once(store, 'listening');
  onTestFinished(() => {
    store.closeAllConnections();
    store.close();
  });
  const endpoint = `http://127.0.0.1:${addressOf(store).port}`;
  return { endpoint, accessKeyId: 'KEY', secretAccessKey: 'store-secret' };
}
