/*
 * This folder is a small S3 store for the demo and for tests. It keeps everything in memory.
 * In: S3 requests over HTTP, signed with its one access key. Out: S3 responses.
 * It imports nothing from `src/s3`, so that a mistake there shows against this store.
 * It never evaluates a policy: the holder of the key may do everything.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock } from '../../core/clock.ts';
import { HeaderList } from '../../core/header-list.ts';
import { systemRandomness } from '../../core/randomness.ts';
import { readRawRequest } from '../../core/raw-request.ts';
import type { Secret } from '../../core/secret.ts';
import { SigningKeyCache } from '../../sigv4/signing-key.ts';
import { type Answer, errorAnswer } from './answer.ts';
import { authorizeCaller, type StoreKey, verifyPayload } from './authorize-caller.ts';
import { decodeChunkedBody } from './chunked-body.ts';
import type { Contents } from './contents.ts';
import { storeError } from './errors.ts';
import { uploadPart } from './multipart-upload.ts';
import { putObject } from './object-operations.ts';
import { findOperation } from './operations.ts';
import { BodyCutShortError, checkBodyLength, readBody } from './read-body.ts';
import { readAddress, readQuery, refuseUnknownHeaders } from './store-call.ts';

/** Settings of {@link startDemoStore}. */
export interface DemoStoreOptions {
  /** The only access key the store knows. */
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** The region signatures must be for. */
  readonly region: string;
  readonly clock: Clock;
  /** The address to listen on; 127.0.0.1 when absent. */
  readonly host?: string;
  /** The port to listen on; 0 or absent for a free one. */
  readonly port?: number;
  /** Told of every request whose head arrives, before anything of it is checked. */
  readonly onRequest?: (seen: { method: string; target: string; headers: HeaderList }) => void;
}

/** A running store. */
export interface DemoStore {
  /** Without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Stops listening and cuts every connection; what was stored is gone. */
  close(): Promise<void>;
}

const maxHeaderBytes = 32 * 1024;

/**
 * Starts a small S3 store inside this process, for demonstrations and tests: path-style addressing, one key,
 * everything in memory, gone when it closes. It verifies the Signature V4 header of every request. Rejects when
 * the port cannot be bound.
 */
export async function startDemoStore(options: DemoStoreOptions): Promise<DemoStore> {
  const host = options.host ?? '127.0.0.1';
  const serve = createListener(options);
  // A slow upload is no reason to cut it: Node would after 300 seconds.
  const server = createServer({ maxHeaderSize: maxHeaderBytes, requestTimeout: 0 });
  server.on('request', (message, response) => {
    void serve(message, response, false);
  });
  server.on('checkContinue', (message, response) => {
    void serve(message, response, true);
  });
  server.on('clientError', (_error, socket) => {
    if (!socket.writable) return socket.destroy();
    const head = `HTTP/1.1 400 Bad Request\r\nx-amz-request-id: ${newRequestId()}\r\n`;
    return socket.end(`${head}Connection: close\r\nContent-Length: 0\r\n\r\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    close: () => close(server),
  };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function newRequestId(): string {
  return Buffer.from(systemRandomness.bytes(8)).toString('hex').toUpperCase();
}

type Listener = (
  message: IncomingMessage,
  response: ServerResponse,
  expectsContinue: boolean,
) => Promise<void>;

function createListener(options: DemoStoreOptions): Listener {
  const { accessKeyId, secretAccessKey, region, clock, onRequest } = options;
  const contents: Contents = { region, buckets: new Map() };
  const key: StoreKey = { accessKeyId, secretAccessKey, region, signingKeys: new SigningKeyCache() };
  return async (message, response, expectsContinue) => {
    const { method = '', url: target = '' } = message;
    const requestId = newRequestId();
    onRequest?.({ method, target, headers: HeaderList.fromRaw(message.rawHeaders) });
    let isBodyInvited = !expectsContinue;
    const inviteBody = (): void => {
      if (!isBodyInvited) response.writeContinue();
      isBodyInvited = true;
    };
    try {
      const arrival = { receivedAtMs: clock.now(), requestId };
      send(response, method, requestId, await answer(message, { arrival, key, contents, inviteBody }));
    } catch (failure) {
      if (failure instanceof BodyCutShortError) return;
      // A client that was not invited may or may not send its body: the connection cannot be used again.
      if (!isBodyInvited) response.setHeader('connection', 'close');
      send(response, method, requestId, errorAnswer(failure, target.split('?')[0] ?? '', requestId));
    }
  };
}

interface Surroundings {
  readonly arrival: { readonly receivedAtMs: number; readonly requestId: string };
  readonly key: StoreKey;
  readonly contents: Contents;
  readonly inviteBody: () => void;
}

async function answer(message: IncomingMessage, surroundings: Surroundings): Promise<Answer> {
  const { arrival, key, contents, inviteBody } = surroundings;
  const raw = readRawRequest(message, {
    ...arrival,
    clientAddress: message.socket.remoteAddress ?? '',
    isSecure: false,
  });
  if (raw === undefined) throw storeError('InvalidURI');
  const payload = authorizeCaller(raw, key);
  const address = readAddress(raw.path);
  const query = readQuery(raw);
  const { operation, headers: further } = findOperation(raw.method, address, { query, headers: raw.headers });
  // Only an object's bytes may come in chunks.
  if (payload.kind === 'unsigned-trailer' && operation !== putObject && operation !== uploadPart) {
    throw storeError('InvalidRequest');
  }
  refuseUnknownHeaders(raw.headers, further);
  checkBodyLength(message);
  inviteBody();
  const body = await readBody(message);
  verifyPayload(payload, body);
  const call = { ...address, query, headers: raw.headers, body, nowMs: arrival.receivedAtMs };
  const isChunked = payload.kind === 'unsigned-trailer';
  return operation(isChunked ? { ...call, ...decodeChunkedBody(raw.headers, body) } : call, contents);
}

function send(response: ServerResponse, method: string, requestId: string, answer: Answer): void {
  const hasBody = method !== 'HEAD' && answer.status !== 204 && answer.status !== 304;
  const headers: Record<string, string> = {
    ...answer.headers,
    'x-amz-request-id': requestId,
    server: 'demo-store',
  };
  if (answer.status !== 204 && answer.status !== 304) headers['content-length'] = String(answer.body.length);
  response.writeHead(answer.status, headers);
  response.end(hasBody ? answer.body : undefined);
}
