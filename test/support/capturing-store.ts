import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One upload as a store saw it. */
export interface CapturedUpload {
  /** Path and query. */
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** False when the connection ended before the declared length arrived. */
  readonly isComplete: boolean;
}

/** A store that would believe anything and keeps what it was sent. */
export interface CapturingStore {
  readonly url: string;
  /** Everything that arrived and ended, one way or the other. */
  readonly uploads: CapturedUpload[];
  /** The targets of all requests that have arrived, ended or not. */
  readonly arrived: string[];
  close(): void;
}

/** Starts it on a free port; every request is answered with 200 and an ETag. */
export async function startCapturingStore(): Promise<CapturingStore> {
  const uploads: CapturedUpload[] = [];
  const arrived: string[] = [];
  const server = createServer((message, response) => {
    const { url: target = '' } = message;
    arrived.push(target);
    const pieces: Buffer[] = [];
    message.on('data', (piece: Buffer) => pieces.push(piece));
    message.on('error', () => undefined);
    message.on('end', () => response.writeHead(200, { etag: '"captured"' }).end());
    message.on('close', () => {
      uploads.push({
        target,
        headers: message.headers,
        body: Buffer.concat(pieces),
        isComplete: message.complete,
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    uploads,
    arrived,
    close: () => void server.close(),
  };
}
