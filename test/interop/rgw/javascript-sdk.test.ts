import { randomBytes } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, outcome, type SdkCredentials, s3Client, stsClient } from '../../support/sdk.ts';
import { account, alice, bob, startSidecar, TestClock, type TestSidecar } from '../../support/sidecar.ts';
import { openSigned, readAll } from '../../support/signed-socket.ts';
import { type Rgw, startRgw } from './start-rgw.ts';
import { teamDirectory } from './team-directory.ts';

const mebibyte = 1024 * 1024;
const clock = new TestClock();
let rgw: Rgw;
let sidecar: TestSidecar;

beforeAll(async () => {
  rgw = await startRgw();
  sidecar = await startSidecar({ clock, directory: teamDirectory, backend: rgw });
});
afterAll(async () => {
  await sidecar?.stop();
  await rgw?.stop();
});

describe('the AWS SDK for JavaScript on Ceph RGW', () => {
  const prefixPolicy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: 'arn:aws:s3:::team-js/in/*' },
      {
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: 'arn:aws:s3:::team-js',
        Condition: { StringLike: { 's3:prefix': 'in/*' } },
      },
    ],
  });

  it('assumes a role and creates a bucket, puts, gets, lists and multi-deletes', async () => {
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'team'));
    await s3.send(new CreateBucketCommand({ Bucket: 'team-js' }));
    const names = ['plain', 'a b+c&d=e', 'ünïcode/ключ', 'a//b', '100%25', "quote'(1)*!"];
    for (const Key of names) {
      const body = randomBytes(1000);
      await s3.send(
        new PutObjectCommand({
          Bucket: 'team-js',
          Key,
          Body: body,
          ContentType: 'x/y',
          Metadata: { note: 'kept' },
        }),
      );
      const read = await s3.send(new GetObjectCommand({ Bucket: 'team-js', Key }));
      expect(Buffer.from(await (read.Body?.transformToByteArray() ?? [])).equals(body)).toBe(true);
      expect([read.ContentType, read.Metadata?.['note']]).toEqual(['x/y', 'kept']);
    }
    const v2 = await s3.send(new ListObjectsV2Command({ Bucket: 'team-js' }));
    const v1 = await s3.send(
      new ListObjectsCommand({ Bucket: 'team-js', EncodingType: 'url', Prefix: 'a b' }),
    );
    expect(v2.Contents?.map(({ Key }) => Key).sort()).toEqual([...names].sort());
    expect(v1.Contents).toHaveLength(1);
    const page = await s3.send(new ListObjectsV2Command({ Bucket: 'team-js', MaxKeys: 2 }));
    const next = await s3.send(
      new ListObjectsV2Command({
        Bucket: 'team-js',
        MaxKeys: 2,
        ContinuationToken: page.NextContinuationToken,
      }),
    );
    expect(next.Contents?.[0]?.Key).not.toBe(page.Contents?.[0]?.Key);
    const deleted = await s3.send(
      new DeleteObjectsCommand({ Bucket: 'team-js', Delete: { Objects: names.map((Key) => ({ Key })) } }),
    );
    expect(deleted.Deleted?.map(({ Key }) => Key).sort()).toEqual([...names].sort());
    expect((await s3.send(new ListObjectsV2Command({ Bucket: 'team-js' }))).KeyCount).toBe(0);
  });

  it('uploads 3 × 5 MiB in parts', async () => {
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'team'));
    const body = randomBytes(15 * mebibyte);
    const done = await new Upload({
      client: s3,
      params: { Bucket: 'team-js', Key: 'large', Body: body },
      partSize: 5 * mebibyte,
    }).done();
    expect(done.Location).toBe(`${sidecar.url}/team-js/large`);
    const read = await s3.send(new GetObjectCommand({ Bucket: 'team-js', Key: 'large' }));
    // RGW 16 leaves the ETag of the completion itself empty.
    expect(read.ETag).toMatch(/-3"$/);
    expect(Buffer.from(await (read.Body?.transformToByteArray() ?? [])).equals(body)).toBe(true);
  });

  it('is denied outside the prefix of an inline session policy', async () => {
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'team', { Policy: prefixPolicy }));
    const put = (Key: string) =>
      outcome(s3.send(new PutObjectCommand({ Bucket: 'team-js', Key, Body: 'x' })));
    expect(await put('in/x')).toBe('allowed');
    expect(await put('out/x')).toBe('AccessDenied 403');
    expect(await outcome(s3.send(new GetObjectCommand({ Bucket: 'team-js', Key: 'large' })))).toBe(
      'AccessDenied 403',
    );
    expect(await outcome(s3.send(new ListObjectsV2Command({ Bucket: 'team-js', Prefix: 'in/' })))).toBe(
      'allowed',
    );
    expect(await outcome(s3.send(new ListObjectsV2Command({ Bucket: 'team-js' })))).toBe('AccessDenied 403');
    expect(await outcome(s3.send(new CreateBucketCommand({ Bucket: 'team-other' })))).toBe(
      'AccessDenied 403',
    );
    const batch = new DeleteObjectsCommand({
      Bucket: 'team-js',
      Delete: { Objects: [{ Key: 'in/x' }, { Key: 'large' }] },
    });
    // The session policy allows no deletion at all, which the head already shows.
    expect(await outcome(s3.send(batch))).toBe('AccessDenied 403');
  });

  it('chains to a second role, which may only read', async () => {
    const chained = await assume(sidecar.url, await assume(sidecar.url, alice, 'team'), 'chained');
    const s3 = s3Client(sidecar.url, chained);
    const identity = await stsClient(sidecar.url, chained).send(new GetCallerIdentityCommand({}));
    expect(identity.Arn).toBe(`arn:aws:sts::${account}:assumed-role/chained/test`);
    expect(await outcome(s3.send(new GetObjectCommand({ Bucket: 'team-js', Key: 'large' })))).toBe('allowed');
    expect(await outcome(s3.send(new PutObjectCommand({ Bucket: 'team-js', Key: 'x', Body: 'x' })))).toBe(
      'AccessDenied 403',
    );
    expect(await outcome(assume(sidecar.url, alice, 'chained'))).toBe('AccessDenied 403');
  });

  it('is denied without a role and with a wrong secret, although the store would allow it', async () => {
    const list = (credentials: SdkCredentials) =>
      outcome(s3Client(sidecar.url, credentials).send(new ListBucketsCommand({})));
    expect(await list(bob)).toBe('AccessDenied 403');
    expect(await list({ ...bob, secretAccessKey: alice.secretAccessKey })).toBe('SignatureDoesNotMatch 403');
    expect(await list(rgw)).toBe('InvalidAccessKeyId 403');
  });

  it('leaves an object as it was when an upload fails at its end', async () => {
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'team'));
    const store = s3Client(rgw.endpoint, rgw);
    await s3.send(new PutObjectCommand({ Bucket: 'team-js', Key: 'kept', Body: 'before' }));
    const transport = await startSidecar({
      directory: `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:*", Resource: "*" }] } }
`,
      backend: rgw,
    });
    try {
      for (const path of ['/team-js/kept', '/team-js/never']) {
        const socket = await openSigned(transport.url, {
          method: 'PUT',
          path,
          headers: { 'x-amz-content-sha256': 'a'.repeat(64), 'content-length': '1000000' },
        });
        socket.write(randomBytes(1_000_000));
        expect(await readAll(socket)).toContain('<Code>XAmzContentSHA256Mismatch</Code>');
      }
    } finally {
      await transport.stop();
    }
    const kept = await store.send(new GetObjectCommand({ Bucket: 'team-js', Key: 'kept' }));
    expect(await kept.Body?.transformToString()).toBe('before');
    expect(await outcome(store.send(new GetObjectCommand({ Bucket: 'team-js', Key: 'never' })))).toBe(
      'NoSuchKey 404',
    );
  });

  it('is told ExpiredToken when the session is over', async () => {
    const session = await assume(sidecar.url, alice, 'team', { DurationSeconds: 900 }, clock);
    clock.advance(901_000);
    const get = new GetObjectCommand({ Bucket: 'team-js', Key: 'kept' });
    expect(await outcome(s3Client(sidecar.url, session, { clock }).send(get))).toBe('ExpiredToken 400');
  });
});
