import { onTestFinished } from 'vitest';
import { type Accepted, type RawServer, startRawServer } from '../http-client/raw-server.ts';
import { openDirectory } from '../support/open-directory.ts';
import { startSidecar, type TestSidecar } from '../support/sidecar.ts';

/** A sidecar in front of a store on a bare socket, which does what the test says when a request has arrived. */
export async function sidecarBefore(
  onRequest: (connection: Accepted, request: number) => void,
  trailers: 'reframe' | 'decode' = 'reframe',
  limits = '{}',
): Promise<{ sidecar: TestSidecar; store: RawServer }> {
  const store = await startRawServer(onRequest);
  onTestFinished(() => store.close());
  const sidecar = await startSidecar({
    directory: openDirectory,
    trailers,
    server: `  limits: ${limits}`,
    backend: {
      endpoint: store.url,
      accessKeyId: 'KEY',
      secretAccessKey: 'store-secret',
      timeouts: '  timeouts: { connectSeconds: 30, headersSeconds: 30, idleSeconds: 30 }',
    },
  });
  onTestFinished(() => sidecar.stop());
  return { sidecar, store };
}

/** An answer with a body. */
export function storeAnswer(status: number, body = '', headers = ''): string {
  return `HTTP/1.1 ${status} X\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`;
}

/** An error document. */
export function storeError(code: string): string {
  return `<Error><Code>${code}</Code><Message>m</Message></Error>`;
}
