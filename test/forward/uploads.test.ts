import { createHash, randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestsInFlight } from '../support/in-flight.ts';
import { openDirectory } from '../support/open-directory.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { alice, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { openSigned, readAll } from '../support/signed-socket.ts';
import { readAnswer } from '../support/wire.ts';

let sidecar: TestSidecar;
let throughSidecar: S3Client;
let atStore: S3Client;
const sha256 = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex');

beforeAll(async () => {
  sidecar = await startSidecar({ directory: openDirectory });
  throughSidecar = s3Client(sidecar.url, alice);
  atStore = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
  await throughSidecar.send(new CreateBucketCommand({ Bucket: 'data' }));
});
afterAll(() => sidecar.stop());

/** Digest of what the store holds; comparing megabytes with `toEqual` would take seconds. */
async function stored(key: string): Promise<string> {
  const read = atStore.send(new GetObjectCommand({ Bucket: 'data', Key: key }));
  const failed = await outcome(read);
  if (failed !== 'allowed') return failed;
  return sha256(await ((await read).Body?.transformToByteArray() ?? Buffer.alloc(0)));
}

describe('valid uploads', () => {
  it.each([0, 1, 65_535, 65_536, 65_537, 3_000_000])('of %i bytes arrive whole', async (size) => {
    const body = randomBytes(size);
    await throughSidecar.send(new PutObjectCommand({ Bucket: 'data', Key: `right-${size}`, Body: body }));
    expect(await stored(`right-${size}`)).toBe(sha256(body));
  });

  it('without a digest arrive whole', async () => {
    const body = randomBytes(200_000);
    const socket = await openSigned(sidecar.url, {
      method: 'PUT',
      path: '/data/undigested',
      headers: {
        'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
        'content-length': String(body.length),
        connection: 'close',
      },
    });
    socket.write(body);
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 200/);
    expect(await stored('undigested')).toBe(sha256(body));
  });

  it('sent one byte at a time arrive whole', async () => {
    const body = randomBytes(300);
    const socket = await openSigned(sidecar.url, {
      method: 'PUT',
      path: '/data/dripped',
      headers: { 'x-amz-content-sha256': sha256(body), 'content-length': '300', connection: 'close' },
    });
    socket.setNoDelay(true);
    const answer = readAll(socket);
    for (const byte of body) {
      socket.write(Uint8Array.of(byte));
      await setTimeout(1);
    }
    expect(await answer).toMatch(/^HTTP\/1\.1 200/);
    expect(await stored('dripped')).toBe(sha256(body));
  });
});

describe.each([100, 2_000_000])('invalid uploads of %i bytes', (size) => {
  const body = randomBytes(size);

  it.each(['new', 'overwritten'])('with another digest leave the object as it was (%s)', async (kind) => {
    const key = `wrong-${kind}-${size}`;
    if (kind === 'overwritten') {
      await atStore.send(new PutObjectCommand({ Bucket: 'data', Key: key, Body: 'before' }));
    }
    const socket = await openSigned(sidecar.url, {
      method: 'PUT',
      path: `/data/${key}`,
      headers: { 'x-amz-content-sha256': sha256(Buffer.from('other')), 'content-length': String(size) },
    });
    socket.write(body);
    const answer = await readAll(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400/);
    expect(answer).toContain('<Code>XAmzContentSHA256Mismatch</Code>');
    expect(answer.toLowerCase()).toContain('connection: close');
    expect(await stored(key)).toBe(kind === 'new' ? 'NoSuchKey 404' : sha256(Buffer.from('before')));
  });

  it('that end early leave nothing', async () => {
    const key = `early-${size}`;
    const socket = await openSigned(sidecar.url, {
      method: 'PUT',
      path: `/data/${key}`,
      headers: { 'x-amz-content-sha256': sha256(body), 'content-length': String(size) },
    });
    socket.write(body.subarray(0, size - 1));
    await expect.poll(() => requestsInFlight(sidecar)).toBe(1);
    socket.destroy();
    await expect.poll(() => requestsInFlight(sidecar)).toBe(0);
    expect(await stored(key)).toBe('NoSuchKey 404');
  });
});

describe('refused uploads', () => {
  it('are answered although the client is still sending', async () => {
    const refusing = await startSidecar();
    try {
      const socket = await openSigned(refusing.url, {
        method: 'PUT',
        path: '/data/never',
        headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': '50000000' },
      });
      const answer = readAnswer(socket);
      socket.write(Buffer.alloc(500_000));
      expect(await answer).toMatch(/^HTTP\/1\.1 403/);
      expect(await answer).toContain('<Code>AccessDenied</Code>');
      expect(refusing.seen).toHaveLength(0);
    } finally {
      await refusing.stop();
    }
  });
});
