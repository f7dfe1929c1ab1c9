import { randomBytes } from 'node:crypto';
import { Agent } from 'node:https';
import { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testCaFile, testCaPem } from '../support/identity-provider.ts';
import { assume, type SdkCredentials, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { runPython } from './python.ts';
import { storeKinds } from './stores/index.ts';
import type { RealStore } from './stores/real-store.ts';
import { storeDirectory } from './stores/store-directory.ts';
import { startTlsTerminator, type TlsTerminator } from './tls-terminator.ts';

const sizes = [0, 1, 65_535, 65_536, 65_537, 20 * 1024 * 1024];

describe.each(storeKinds)('streaming uploads to $name ($trailers)', ({ trailers, start }) => {
  let store: RealStore;
  let sidecar: TestSidecar;
  let terminator: TlsTerminator;
  let session: Required<SdkCredentials>;
  let s3: S3Client;
  const payloads: string[] = [];

  beforeAll(async () => {
    store = await start();
    sidecar = await startSidecar({ backend: store, trailers, directory: storeDirectory });
    terminator = await startTlsTerminator(sidecar.url);
    session = await assume(sidecar.url, alice, 'admin');
    s3 = s3Client(terminator.url, session, {
      config: { requestHandler: { httpsAgent: new Agent({ ca: testCaPem }) } },
    });
    s3.middlewareStack.add(
      (next) => (args) => {
        const { headers } = args.request as { headers: Record<string, string> };
        payloads.push(headers['x-amz-content-sha256'] ?? '');
        return next(args);
      },
      { step: 'deserialize', name: 'note the payload' },
    );
    await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
  });
  afterAll(async () => {
    s3?.destroy();
    await terminator?.close();
    await sidecar?.stop();
    await store?.stop();
  });

  const stream = (body: Buffer): Readable =>
    Readable.from(
      (function* () {
        for (let index = 0; index < body.length; index += 10_000) yield body.subarray(index, index + 10_000);
      })(),
    );

  it.each(sizes)('a stream of %i bytes of the JavaScript SDK arrives intact', async (size) => {
    for (const ChecksumAlgorithm of ['CRC32', 'CRC64NVME'] as const) {
      const body = randomBytes(size);
      const object = { Bucket: 'data', Key: `${ChecksumAlgorithm}-${size}` };
      await s3.send(
        new PutObjectCommand({ ...object, Body: stream(body), ContentLength: size, ChecksumAlgorithm }),
      );
      expect(payloads.at(-1)).toBe('STREAMING-UNSIGNED-PAYLOAD-TRAILER');
      // With ChecksumMode the SDK compares the bytes with the checksum that the store has kept.
      const read = await s3.send(new GetObjectCommand({ ...object, ChecksumMode: 'ENABLED' }));
      const bytes = Buffer.from((await read.Body?.transformToByteArray()) ?? []);
      expect(bytes.equals(body)).toBe(true);
      expect(read.ContentEncoding ?? '').not.toContain('aws-chunked');
      const { ChecksumCRC32, ChecksumCRC64NVME } = await s3.send(
        new HeadObjectCommand({ ...object, ChecksumMode: 'ENABLED' }),
      );
      const kept = ChecksumAlgorithm === 'CRC32' ? ChecksumCRC32 : ChecksumCRC64NVME;
      if (trailers === 'reframe') expect(kept).toBeDefined();
    }
  });

  it('a stream of unknown length is uploaded in parts', async () => {
    const body = randomBytes(12 * 1024 * 1024 + 1);
    const object = { Bucket: 'data', Key: 'unknown-length' };
    await new Upload({ client: s3, params: { ...object, Body: stream(body) } }).done();
    const { Body } = await s3.send(new GetObjectCommand(object));
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(body)).toBe(true);
  });

  it('what boto3 uploads over TLS arrives intact', async () => {
    const results = await runPython('current', 'uploads.py', {
      endpoint: terminator.url,
      ca: testCaFile,
      bucket: 'data',
      prefix: 'boto3',
      sizes,
      ...session,
    });
    const wanted = { isStreamed: true, isIntact: true, encoding: '' };
    expect(results).toEqual(Object.fromEntries(sizes.map((size) => [String(size), wanted])));
  });
});
