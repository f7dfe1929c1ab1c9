import { createHash } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { systemClock } from '../../../src/core/clock.ts';
import type { HeaderField } from '../../../src/core/header-list.ts';
import { parseQuery, splitTarget } from '../../../src/core/request-target.ts';
import { Secret } from '../../../src/core/secret.ts';
import { type DemoStore, type DemoStoreOptions, startDemoStore } from '../../../src/demo/store/demo-store.ts';
import { signRequest } from '../../../src/sigv4/sign.ts';
import { SigningKeyCache } from '../../../src/sigv4/signing-key.ts';

const accessKeyId = 'AKIADEMOSTORE';
const secretAccessKey = 'demo-store-secret';
const region = 'us-east-1';

export interface Seen {
  readonly method: string;
  readonly target: string;
}

export interface StoreFixture {
  readonly store: DemoStore;
  readonly seen: Seen[];
  sdk(overrides?: S3ClientConfig): S3Client;
  send(request: Partial<TestRequest>): Promise<TestResponse>;
}

export interface TestRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** What goes into `x-amz-content-sha256`; the body's digest when absent. */
  readonly payloadHash: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly service: string;
  readonly nowMs: number;
  /** Headers added after signing. */
  readonly unsignedHeaders: Readonly<Record<string, string>>;
}

export interface TestResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The `Code` of an S3 error; empty for none. */
  readonly code: string;
}

/** Signs a request as its sender would; the result is every header to send. */
export function signedHeaders(port: number, request: Partial<TestRequest>): HeaderField[] {
  const target = splitTarget(request.target ?? '/');
  const body = request.body ?? '';
  return signRequest(
    {
      method: request.method ?? 'GET',
      path: target?.path ?? '/',
      parameters: parseQuery(target?.query ?? '') ?? [],
      headers: [
        { name: 'host', value: `127.0.0.1:${port}` },
        ...Object.entries(request.headers ?? {}).map(([name, value]) => ({ name, value })),
      ],
      payloadHash: request.payloadHash ?? createHash('sha256').update(body).digest('hex'),
    },
    {
      accessKeyId: request.accessKeyId ?? accessKeyId,
      secretAccessKey: new Secret(request.secretAccessKey ?? secretAccessKey),
    },
    {
      region: request.region ?? region,
      service: request.service ?? 's3',
      nowMs: request.nowMs ?? systemClock.now(),
    },
    new SigningKeyCache(),
  );
}

/** Sends exactly these headers and reads the whole answer. */
export function sendRaw(
  port: number,
  request: Pick<TestRequest, 'method' | 'target' | 'body'>,
  headers: readonly HeaderField[],
): Promise<TestResponse> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        host: '127.0.0.1',
        port,
        method: request.method,
        path: request.target,
        setHost: false,
        headers: headers.flatMap(({ name, value }) => [name, value]),
        agent: false,
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const body = Buffer.concat(chunks).toString('utf8');
          const code = /<Code>([^<]*)<\/Code>/.exec(body)?.[1] ?? '';
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body, code });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(request.body);
  });
}

export async function startFixture(options: Partial<DemoStoreOptions> = {}): Promise<StoreFixture> {
  const seen: Seen[] = [];
  const store = await startDemoStore({
    accessKeyId,
    secretAccessKey: new Secret(secretAccessKey),
    region,
    clock: systemClock,
    onRequest: ({ method, target }) => seen.push({ method, target }),
    ...options,
  });
  return {
    store,
    seen,
    sdk: (overrides = {}) =>
      new S3Client({
        endpoint: store.url,
        region,
        forcePathStyle: true,
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
        credentials: { accessKeyId, secretAccessKey },
        maxAttempts: 1,
        ...overrides,
      }),
    send: (partial) => {
      const { method = 'GET', target = '/', body = '' } = partial;
      const headers = signedHeaders(store.port, partial);
      const length = Buffer.byteLength(body);
      const all = [
        ...headers,
        ...(length > 0 || method === 'PUT' || method === 'POST'
          ? [{ name: 'content-length', value: String(length) }]
          : []),
        ...Object.entries(partial.unsignedHeaders ?? {}).map(([name, value]) => ({ name, value })),
      ];
      return sendRaw(store.port, { method, target, body }, all);
    },
  };
}
