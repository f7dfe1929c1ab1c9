import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingComponents } from '../components.ts';
import { type Rgw, startRgw } from './start-rgw.ts';

function clientFor(rgw: Rgw, secretAccessKey: string = rgw.secretAccessKey): S3Client {
  return new S3Client({
    endpoint: rgw.endpoint,
    region: rgw.region,
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    credentials: { accessKeyId: rgw.accessKeyId, secretAccessKey },
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('Ceph RGW', () => {
  let rgw: Rgw;
  beforeAll(async () => {
    rgw = await startRgw();
  });
  afterAll(async () => {
    await rgw?.stop();
  });

  it('has every component installed', () => {
    expect(missingComponents()).toEqual([]);
  });

  it('stores an object and gives it back', async () => {
    const client = clientFor(rgw);
    await client.send(new CreateBucketCommand({ Bucket: 'smoke' }));
    await client.send(new PutObjectCommand({ Bucket: 'smoke', Key: 'a/b c', Body: 'hello' }));
    const answer = await client.send(new GetObjectCommand({ Bucket: 'smoke', Key: 'a/b c' }));
    expect(await answer.Body?.transformToString()).toBe('hello');
  });

  it('rejects a wrong secret key', async () => {
    const client = clientFor(rgw, 'wrong');
    await expect(client.send(new ListBucketsCommand({}))).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
    });
  });

  it('never shows the secret key in its logs', () => {
    expect(rgw.logTail(10_000)).not.toContain(rgw.secretAccessKey);
  });
});

describe('startRgw', () => {
  it('runs two stores side by side that do not know each other, and leaves no process and no file', async () => {
    const [first, second] = await Promise.all([startRgw(), startRgw()]);
    try {
      expect(first.endpoint).not.toBe(second.endpoint);
      const stranger = clientFor({ ...first, endpoint: second.endpoint });
      await expect(stranger.send(new ListBucketsCommand({}))).rejects.toMatchObject({
        name: 'InvalidAccessKeyId',
      });
    } finally {
      await Promise.all([first.stop(), second.stop()]);
    }
    await first.stop();
    for (const rgw of [first, second]) {
      expect(rgw.pids.filter(isAlive)).toEqual([]);
      expect(existsSync(rgw.directory)).toBe(false);
    }
  });

  it('says why it did not start and leaves nothing when the time is up', async () => {
    const parentDirectory = await mkdtemp(join(tmpdir(), 'sts-sidecar-rgw-parent-'));
    try {
      await expect(startRgw({ parentDirectory, timeoutMs: 0 })).rejects.toMatchObject({
        message: expect.stringContaining('--- mon.a'),
        cause: expect.objectContaining({ message: 'the gateway does not answer' }),
      });
      expect(await readdir(parentDirectory)).toEqual([]);
    } finally {
      await rm(parentDirectory, { recursive: true, force: true });
    }
  });
});
