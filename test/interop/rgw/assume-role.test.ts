import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
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
import { cleanEnvironment } from '../../support/clean-environment.ts';
import { assume, outcome, type SdkCredentials, s3Client, stsClient } from '../../support/sdk.ts';
import {
  account,
  alice,
  bob,
  roleArn,
  startSidecar,
  TestClock,
  type TestSidecar,
} from '../../support/sidecar.ts';
import { openSigned, readAll } from '../../support/signed-socket.ts';
import { requireComponent } from '../components.ts';
import { type Rgw, startRgw } from './start-rgw.ts';

const mebibyte = 1024 * 1024;
const clock = new TestClock();
let rgw: Rgw;
let sidecar: TestSidecar;
let folder: string;

const directory = `
directory:
  policies:
    Team:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Action: ["s3:CreateBucket", "s3:ListBucket", "s3:DeleteBucket", "s3:GetBucketLocation"], Resource: "arn:aws:s3:::team-*" }
        - { Effect: Allow, Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], Resource: "arn:aws:s3:::team-*/*" }
        - { Effect: Allow, Action: "sts:AssumeRole", Resource: "${roleArn('chained')}" }
    Reader:
      Version: "2012-10-17"
      Statement: [{ Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::team-*/*" }]
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies:
        Assume: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "*" }] }
    - name: bob
      accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }]
  roles:
    - name: team
      policies: [Team]
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" }] }
    - name: chained
      policies: [Reader]
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${roleArn('team')}" }, Action: "sts:AssumeRole" }] }
`;

beforeAll(async () => {
  rgw = await startRgw();
  sidecar = await startSidecar({ clock, directory, backend: rgw });
  folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-interop-'));
});
afterAll(async () => {
  await sidecar?.stop();
  await rgw?.stop();
  await rm(folder, { recursive: true, force: true });
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
    const deleted = await s3.send(
      new DeleteObjectsCommand({
        Bucket: 'team-js',
        Delete: { Objects: [{ Key: 'in/x' }, { Key: 'large' }] },
      }),
    );
    expect(deleted.Errors?.map(({ Code }) => Code)).toEqual(['AccessDenied', 'AccessDenied']);
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

  it('is denied without a role, with a wrong secret, and by a store that would have said yes', async () => {
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

describe('the AWS CLI on Ceph RGW', () => {
  let live: TestSidecar;

  beforeAll(async () => {
    // The CLI signs with the machine's time, so it gets a sidecar with the machine's clock.
    live = await startSidecar({ directory, backend: rgw });
  });
  afterAll(() => live?.stop());

  async function aws(credentials: SdkCredentials, ...parameters: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(
      requireComponent('aws'),
      ['--endpoint-url', live.url, '--region', 'us-east-1', '--output', 'json', ...parameters],
      {
        env: cleanEnvironment({
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          ...(credentials.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: credentials.sessionToken }),
        }),
      },
    );
    return stdout;
  }

  async function assumeWithCli(
    credentials: SdkCredentials,
    role: string,
    ...further: string[]
  ): Promise<SdkCredentials> {
    const printed: unknown = JSON.parse(
      await aws(
        credentials,
        'sts',
        'assume-role',
        '--role-arn',
        roleArn(role),
        '--role-session-name',
        'cli',
        ...further,
      ),
    );
    const { Credentials } = printed as {
      Credentials: Record<'AccessKeyId' | 'SecretAccessKey' | 'SessionToken', string>;
    };
    return {
      accessKeyId: Credentials.AccessKeyId,
      secretAccessKey: Credentials.SecretAccessKey,
      sessionToken: Credentials.SessionToken,
    };
  }

  const refusal = async (call: Promise<string>): Promise<string> => {
    const failure: unknown = await call.then(
      () => ({ stderr: 'allowed' }),
      (error: unknown) => error,
    );
    const stderr = String((failure as { stderr?: unknown }).stderr);
    return /\((\w+)\)/.exec(stderr)?.[1] ?? stderr;
  };

  it('assumes a role and creates a bucket, puts, gets, lists and deletes', async () => {
    const session = await assumeWithCli(alice, 'team');
    expect(JSON.parse(await aws(session, 'sts', 'get-caller-identity'))).toMatchObject({
      Account: account,
      Arn: `arn:aws:sts::${account}:assumed-role/team/cli`,
    });
    const file = join(folder, 'small');
    await writeFile(file, 'small content');
    await aws(session, 's3', 'mb', 's3://team-cli');
    await aws(session, 's3', 'cp', file, 's3://team-cli/in/small');
    await aws(session, 's3', 'cp', file, 's3://team-cli/out/a b+c');
    expect(await aws(session, 's3', 'cp', 's3://team-cli/out/a b+c', '-')).toBe('small content');
    const listed = await aws(session, 's3', 'ls', '--recursive', 's3://team-cli/');
    expect([listed.includes('in/small'), listed.includes('out/a b+c')]).toEqual([true, true]);
    await aws(
      session,
      's3api',
      'delete-objects',
      '--bucket',
      'team-cli',
      '--delete',
      'Objects=[{Key=out/a b+c},{Key=none}]',
    );
    expect(await aws(session, 's3', 'ls', '--recursive', 's3://team-cli/')).not.toContain('out/');
  });

  it('uploads 3 × 5 MiB in parts and reads them back', async () => {
    const session = await assumeWithCli(alice, 'team');
    const [sent, received] = [join(folder, 'sent'), join(folder, 'received')];
    const body = randomBytes(15 * mebibyte);
    await writeFile(sent, body);
    await aws(session, 's3', 'cp', sent, 's3://team-cli/large');
    await aws(session, 's3', 'cp', 's3://team-cli/large', received);
    expect((await readFile(received)).equals(body)).toBe(true);
    const head = JSON.parse(
      await aws(session, 's3api', 'head-object', '--bucket', 'team-cli', '--key', 'large'),
    ) as {
      ETag: string;
    };
    expect(head.ETag).toMatch(/-2"$/);
    await aws(
      session,
      's3api',
      'create-multipart-upload',
      '--bucket',
      'team-cli',
      '--key',
      'three-parts',
    ).then(async (text) => {
      const { UploadId } = JSON.parse(text) as { UploadId: string };
      const upload = ['--bucket', 'team-cli', '--key', 'three-parts', '--upload-id', UploadId];
      const parts: { PartNumber: number; ETag: string }[] = [];
      for (const PartNumber of [1, 2, 3]) {
        await writeFile(sent, body.subarray((PartNumber - 1) * 5 * mebibyte, PartNumber * 5 * mebibyte));
        const part = await aws(
          session,
          's3api',
          'upload-part',
          ...upload,
          '--part-number',
          String(PartNumber),
          '--body',
          sent,
        );
        parts.push({ PartNumber, ETag: (JSON.parse(part) as { ETag: string }).ETag });
      }
      await aws(
        session,
        's3api',
        'complete-multipart-upload',
        ...upload,
        '--multipart-upload',
        JSON.stringify({ Parts: parts }),
      );
    });
    await aws(session, 's3', 'cp', 's3://team-cli/three-parts', received);
    expect((await readFile(received)).equals(body)).toBe(true);
  });

  it('is denied outside the prefix of an inline session policy', async () => {
    const policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::team-cli/in/*' }],
    });
    const session = await assumeWithCli(alice, 'team', '--policy', policy);
    expect(await aws(session, 's3', 'cp', 's3://team-cli/in/small', '-')).toBe('small content');
    expect(
      await refusal(
        aws(session, 's3api', 'get-object', '--bucket', 'team-cli', '--key', 'large', join(folder, 'x')),
      ),
    ).toBe('AccessDenied');
    expect(await refusal(aws(session, 's3api', 'put-object', '--bucket', 'team-cli', '--key', 'in/x'))).toBe(
      'AccessDenied',
    );
    expect(await refusal(aws(session, 's3api', 'list-objects-v2', '--bucket', 'team-cli'))).toBe(
      'AccessDenied',
    );
  });

  it('chains, and is refused what nobody allowed', async () => {
    const team = await assumeWithCli(alice, 'team');
    const chained = await assumeWithCli(team, 'chained');
    expect(await aws(chained, 's3', 'cp', 's3://team-cli/in/small', '-')).toBe('small content');
    expect(await refusal(aws(chained, 's3api', 'put-object', '--bucket', 'team-cli', '--key', 'x'))).toBe(
      'AccessDenied',
    );
    expect(
      await refusal(
        aws(bob, 'sts', 'assume-role', '--role-arn', roleArn('team'), '--role-session-name', 'x1'),
      ),
    ).toBe('AccessDenied');
    expect(
      await refusal(
        aws({ ...team, sessionToken: 'foreign' }, 's3api', 'list-objects-v2', '--bucket', 'team-cli'),
      ),
    ).toBe('InvalidToken');
    expect(
      await refusal(aws({ ...alice, secretAccessKey: 'wrong-secret' }, 'sts', 'get-caller-identity')),
    ).toBe('SignatureDoesNotMatch');
  });
});
