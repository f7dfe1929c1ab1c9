import { expect, onTestFinished, vi } from 'vitest';
import { HttpClient } from '../../src/http-client/http-client.ts';
import { type Accepted, type RawServer, startRawServer } from './raw-server.ts';

export const timeouts: { connectMs: number; headersMs: number; idleMs: number } = {
  connectMs: 60_000,
  headersMs: 60_000,
  idleMs: 60_000,
};

/** A client in front of a server that does what the test says when a request has arrived. */
export async function inFrontOf(
  onRequest: (connection: Accepted, request: number) => void,
  limits: Partial<typeof timeouts> = {},
): Promise<{ client: HttpClient; server: RawServer }> {
  const server = await startRawServer(onRequest);
  const client = new HttpClient(server.url, { ...timeouts, ...limits });
  onTestFinished(server.close);
  onTestFinished(() => client.destroy());
  return { client, server };
}

export const answerOf = (body: string, headers = ''): string =>
  `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`;

/** A request whose body will be written. */
export const upload = (bytes: number): { method: string; headers: string[]; body: number } => ({
  method: 'PUT',
  headers: ['host', 'x', 'content-length', String(bytes)],
  body: bytes,
});

export const eventually = (check: () => void): Promise<void> =>
  vi.waitFor(check, { timeout: 20_000, interval: 10 });

/** The server sees the connection end by a reset. */
export const isReset = ({ accepted }: RawServer): Promise<void> =>
  eventually(() => expect(accepted[0]?.ending()).toBe('reset'));
