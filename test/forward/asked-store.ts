import type { IncomingMessage } from 'node:http';
import { onTestFinished } from 'vitest';
import { openDirectory } from '../support/open-directory.ts';
import { s3Client } from '../support/sdk.ts';
import { alice, startSidecar } from '../support/sidecar.ts';
import { isRead, startFakeStore } from './fake-store.ts';

/** What the store answers to a read. */
export type Answer = readonly [status: number, body?: string, headers?: Readonly<Record<string, string>>];

/** A client of a store that answers reads as the test says, and every other request with 200. */
export async function inFrontOf(
  answer: (message: IncomingMessage) => Answer,
  {
    directory = openDirectory,
    supports = [],
    limits = '{}',
  }: { directory?: string; supports?: readonly string[]; limits?: string } = {},
): Promise<{ client: ReturnType<typeof s3Client>; writes: string[]; reads: IncomingMessage[] }> {
  const writes: string[] = [];
  const reads: IncomingMessage[] = [];
  const backend = await startFakeStore((message, response) => {
    const asks = isRead(message);
    if (asks) reads.push(message);
    else writes.push(message.method ?? '');
    const [status, body = '', headers = {}] = asks ? answer(message) : ([200, resultOf(message)] as const);
    response.writeHead(status, headers).end(body);
  });
  const sidecar = await startSidecar({ directory, supports, backend, server: `  limits: ${limits}` });
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
