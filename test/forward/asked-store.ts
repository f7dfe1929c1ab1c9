import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { openDirectory } from '../support/open-directory.ts';
import { s3Client } from '../support/sdk.ts';
import { alice, startSidecar } from '../support/sidecar.ts';

/** What the store answers to a read. */
export type Answer = readonly [status: number, body?: string, headers?: Readonly<Record<string, string>>];

/** A client of a store that answers reads as the test says, and every other request with 200. */
export async function inFrontOf(
  answer: (message: IncomingMessage) => Answer,
  { directory = openDirectory, supports = [] }: { directory?: string; supports?: readonly string[] } = {},
): Promise<{ client: ReturnType<typeof s3Client>; writes: string[]; reads: IncomingMessage[] }> {
  const writes: string[] = [];
  const reads: IncomingMessage[] = [];
  const store = createServer((message, response) => {
    message.resume().on('end', () => {
      const isRead = message.method === 'GET' || message.method === 'HEAD';
      if (isRead) reads.push(message);
      else writes.push(message.method ?? '');
      const [status, body = '', headers = {}] = isRead
        ? answer(message)
        : ([200, resultOf(message)] as const);
      response.writeHead(status, headers).end(body);
    });
  }).listen(0, '127.0.0.1');
  await once(store, 'listening');
  onTestFinished(() => void store.close());
  const endpoint = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
  const sidecar = await startSidecar({
    directory,
    supports,
    backend: { endpoint, accessKeyId: 'KEY', secretAccessKey: 'store-secret' },
  });
  onTestFinished(() => sidecar.stop());
  return { client: s3Client(sidecar.url, alice), writes, reads };
}

function resultOf({ url = '' }: IncomingMessage): string {
  if (url.includes('delete')) return '<DeleteResult/>';
  if (url.includes('uploads'))
    return '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>';
  if (url.includes('uploadId') && !url.includes('partNumber')) return '<CompleteMultipartUploadResult/>';
  return url.includes('partNumber') ? '<CopyPartResult/>' : '<CopyObjectResult/>';
}
