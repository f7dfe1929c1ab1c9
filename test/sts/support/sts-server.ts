import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readRawRequest } from '../../../src/core/raw-request.ts';
import type { StsDependencies } from '../../../src/sts/handle.ts';
import { serve } from './sts-fixture.ts';

/** A listener on a free port that answers STS and nothing else, at the machine's own time. */
export async function startStsServer(
  dependencies: () => StsDependencies,
  now: () => number,
): Promise<{ readonly endpoint: string; readonly close: () => Promise<void> }> {
  const server = createServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      const raw = readRawRequest(message, {
        clientAddress: '127.0.0.1',
        isSecure: false,
        receivedAtMs: now(),
        requestId: 'SOCKET',
      });
      if (raw === undefined) {
        response.writeHead(400).end();
        return;
      }
      void serve({ raw, body: Buffer.concat(chunks) }, dependencies()).then(({ response: answer }) => {
        response.writeHead(answer.status, {
          'content-type': answer.contentType,
          'x-amzn-requestid': 'SOCKET',
        });
        response.end(answer.body);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { endpoint: `http://127.0.0.1:${portOf(server)}`, close: () => close(server) };
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });
}
