import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, type SdkCredentials, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { run } from './clients/client.ts';
import { cachedFolder, requireComponent } from './components.ts';
import { storeKinds } from './stores/index.ts';
import type { RealStore } from './stores/real-store.ts';
import { storeDirectory } from './stores/store-directory.ts';

/** Passes bytes on to a sidecar, and notes which payloads the heads among them announce. */
async function startListener(url: string, payloads: Set<string>): Promise<Server> {
  const { hostname, port } = new URL(url);
  const server = createServer((client) => {
    const sidecar = connect({ host: hostname, port: Number(port) });
    client.on('data', (data) => {
      for (const [, value = ''] of data
        .toString('latin1')
        .matchAll(/^x-amz-content-sha256: (STREAMING\S+)/gim))
        payloads.add(value);
    });
    for (const [from, to] of [
      [client, sidecar],
      [sidecar, client],
    ] as const) {
      from.pipe(to);
      from.on('error', () => to.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe.each(storeKinds)('clients that sign each chunk, on $name ($trailers)', ({ trailers, start }) => {
  const Bucket = 'data';
  const payloads = new Set<string>();
  let store: RealStore;
  let sidecar: TestSidecar;
  let listener: Server;
  let s3: S3Client;
  let folder: string;
  let address: string;
  let environment: Record<string, string>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-signing-'));
    store = await start();
    sidecar = await startSidecar({ backend: store, trailers, directory: storeDirectory });
    listener = await startListener(sidecar.url, payloads);
    address = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
    const session = await assume(sidecar.url, alice, 'admin');
    s3 = s3Client(sidecar.url, session);
    environment = variablesOf(session);
    await s3.send(new CreateBucketCommand({ Bucket }));
  });
  afterAll(async () => {
    listener?.close();
    await sidecar?.stop();
    await store?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const stored = async (Key: string): Promise<Buffer> => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };

  it.each([0, 1, 65_536, 200_000, 5_000_000])('minio-go puts %i bytes', async (size) => {
    const body = randomBytes(size);
    const file = join(folder, `sent-${size}`);
    await writeFile(file, body);
    for (const checksum of [[], ['checksum']]) {
      payloads.clear();
      const key = `minio-go/${size}${checksum.join('')}`;
      await run(
        join(cachedFolder('miniogo'), 'minio-put'),
        [address, Bucket, key, file, ...checksum],
        environment,
      );
      expect((await stored(key)).equals(body)).toBe(true);
      // An empty object has its checksum in a header.
      const mode = `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${checksum.length > 0 && size > 0 ? '-TRAILER' : ''}`;
      expect([...payloads]).toEqual([mode]);
    }
  });

  it('minio-go is denied what the role is denied', async () => {
    const denied = variablesOf(await assume(sidecar.url, alice, 'data'));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'secret/plan', Body: 'hidden' }));
    const file = join(folder, 'denied');
    await writeFile(file, randomBytes(200_000));
    const put = run(
      join(cachedFolder('miniogo'), 'minio-put'),
      [address, Bucket, 'secret/plan', file],
      denied,
    );
    await expect(put).rejects.toThrow(/AccessDenied/);
    expect(String(await stored('secret/plan'))).toBe('hidden');
  });

  it('restic backs up, checks and restores', async () => {
    const source = join(folder, 'source');
    const target = join(folder, 'target');
    await mkdir(source);
    const body = randomBytes(9_000_000);
    await writeFile(join(source, 'large'), body);
    await writeFile(join(source, 'small'), 'content');
    payloads.clear();
    const repository = `s3:http://${address}/${Bucket}/restic`;
    const restic = (...args: readonly string[]): Promise<string> =>
      run(requireComponent('restic'), ['--no-cache', '-r', repository, ...args], {
        ...environment,
        RESTIC_PASSWORD: 'of this test',
      });
    await restic('init');
    await restic('backup', source);
    await restic('check', '--read-data');
    await restic('restore', 'latest', '--target', target);
    expect((await readFile(join(target, source, 'large'))).equals(body)).toBe(true);
    expect(await readFile(join(target, source, 'small'), 'utf8')).toBe('content');
    expect([...payloads]).toEqual(['STREAMING-AWS4-HMAC-SHA256-PAYLOAD']);
  });
});

function variablesOf(session: SdkCredentials): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: session.accessKeyId,
    AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
    AWS_SESSION_TOKEN: session.sessionToken ?? '',
    AWS_DEFAULT_REGION: 'us-east-1',
  };
}
