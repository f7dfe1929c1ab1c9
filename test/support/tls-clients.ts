import { once } from 'node:events';
import { Agent } from 'node:https';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { S3Client } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';
import type { SdkCredentials } from './sdk.ts';

/** What a client trusts and shows, PEM. */
export interface ClientTls {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** Options of SDK clients that speak to a listener with TLS. */
function overTls(url: string, credentials: SdkCredentials, tls: ClientTls) {
  return {
    endpoint: url,
    region: 'us-east-1',
    credentials,
    maxAttempts: 1,
    requestHandler: { httpsAgent: new Agent({ keepAlive: true, maxSockets: 50, ...tls }) },
  };
}

/** An unmodified S3 client of the AWS SDK. */
export function secureS3(url: string, credentials: SdkCredentials, tls: ClientTls): S3Client {
  return new S3Client({ ...overTls(url, credentials, tls), forcePathStyle: true });
}

/** An unmodified STS client of the AWS SDK. */
export function secureSts(url: string, credentials: SdkCredentials, tls: ClientTls): STSClient {
  return new STSClient(overTls(url, credentials, tls));
}

/** A TLS session with a listener, once it is established; its errors are not thrown. */
export async function secureSocket(url: string, options: ConnectionOptions): Promise<TLSSocket> {
  const { port } = new URL(url);
  const socket = connect({ host: '127.0.0.1', port: Number(port), servername: 'localhost', ...options });
  await once(socket, 'secureConnect');
  socket.on('error', () => undefined);
  return socket;
}

/** A connection without TLS, once it is open; its errors are not thrown. */
export async function plainSocket(url: string): Promise<Socket> {
  const socket = connectTcp({ host: '127.0.0.1', port: Number(new URL(url).port) });
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  return socket;
}

/** Resolves when a connection is closed, with what had come, latin1. */
export async function untilClosed(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  socket.on('end', () => socket.end());
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

/** The first flight of Node's TLS client: a whole ClientHello. */
export async function clientHello(): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: '127.0.0.1', port, servername: 'localhost' });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  server.close();
  return bytes;
}
