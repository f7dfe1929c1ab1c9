import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assume, outcome, s3Client, stsClient } from '../support/sdk.ts';
import {
  account,
  alice,
  bob,
  roleArn,
  startSidecar,
  TestClock,
  type TestSidecar,
} from '../support/sidecar.ts';

const clock = new TestClock();
let sidecar: TestSidecar;

beforeAll(async () => {
  sidecar = await startSidecar({ clock });
});
afterAll(() => sidecar.stop());

describe('an unmodified SDK that assumes a role', () => {
  it('creates a bucket, writes, reads, lists, deletes and uploads in parts', async () => {
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'data'));
    await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
    expect((await s3.send(new GetBucketLocationCommand({ Bucket: 'data' }))).$metadata.httpStatusCode).toBe(
      200,
    );
    const names = ['plain.txt', 'a b+c&d.txt', 'ünïcode/ключ', 'a//b', 'dots/./x', '100%25'];
    for (const Key of names) {
      await s3.send(
        new PutObjectCommand({
          Bucket: 'data',
          Key,
          Body: `content of ${Key}`,
          Metadata: { note: Key.length.toString() },
        }),
      );
      const read = await s3.send(new GetObjectCommand({ Bucket: 'data', Key }));
      expect(await read.Body?.transformToString()).toBe(`content of ${Key}`);
      expect(read.Metadata).toEqual({ note: Key.length.toString() });
      expect((await s3.send(new HeadObjectCommand({ Bucket: 'data', Key }))).ContentLength).toBe(
        Buffer.byteLength(`content of ${Key}`),
      );
    }
    const listed = await s3.send(new ListObjectsV2Command({ Bucket: 'data' }));
    expect(listed.Contents?.map(({ Key }) => Key).sort()).toEqual([...names].sort());
    const deleted = await s3.send(
      new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects: names.map((Key) => ({ Key })) } }),
    );
    expect(deleted.Deleted).toHaveLength(names.length);

    const body = Buffer.alloc(15 * 1024 * 1024, 'part ');
    const uploaded = await new Upload({
      client: s3,
      params: { Bucket: 'data', Key: 'large', Body: body },
      partSize: 5 * 1024 * 1024,
    }).done();
    expect(uploaded.Location).toBe(`${sidecar.url}/data/large`);
    const read = await s3.send(
      new GetObjectCommand({ Bucket: 'data', Key: 'large', Range: 'bytes=5242870-5242889' }),
    );
    expect(await read.Body?.transformToString()).toBe(body.subarray(5242870, 5242890).toString());
    expect(read.$metadata.httpStatusCode).toBe(206);
  });

  it('gets credentials through fromTemporaryCredentials', async () => {
    const s3 = s3Client(sidecar.url, alice, {
      config: {
        credentials: fromTemporaryCredentials({
          masterCredentials: alice,
          params: { RoleArn: roleArn('data'), RoleSessionName: 'provider' },
          clientConfig: { endpoint: sidecar.url, region: 'us-east-1' },
        }),
      },
    });
    await s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'provided', Body: 'x' }));
  });

  it('is told who it is', async () => {
    const asUser = await stsClient(sidecar.url, alice).send(new GetCallerIdentityCommand({}));
    expect(asUser.Arn).toBe(`arn:aws:iam::${account}:user/alice`);
    expect(asUser.UserId).toMatch(/^AIDA/);
    const session = await assume(sidecar.url, alice, 'data');
    const asRole = await stsClient(sidecar.url, session).send(new GetCallerIdentityCommand({}));
    expect(asRole.Arn).toBe(`arn:aws:sts::${account}:assumed-role/data/test`);
    expect(asRole.UserId).toMatch(/^AROA.*:test$/);
    expect(asRole.Account).toBe(account);
  });

  it('chains roles, for at most an hour', async () => {
    const chaining = await startSidecar({
      directory: `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Assume: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "*" }] } }
  roles:
    - name: first
      maxSessionDurationSeconds: 7200
      inlinePolicies: { Assume: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "${roleArn('second')}" }] } }
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" }] }
    - name: second
      maxSessionDurationSeconds: 7200
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${roleArn('first')}" }, Action: "sts:AssumeRole" }] }
`,
    });
    try {
      const first = await assume(chaining.url, alice, 'first', { DurationSeconds: 7200 });
      const second = await assume(chaining.url, first, 'second');
      const identity = await stsClient(chaining.url, second).send(new GetCallerIdentityCommand({}));
      expect(identity.Arn).toBe(`arn:aws:sts::${account}:assumed-role/second/test`);
      expect(await outcome(assume(chaining.url, first, 'second', { DurationSeconds: 3601 }))).toBe(
        'ValidationError 400',
      );
      expect(await outcome(assume(chaining.url, alice, 'second'))).toBe('AccessDenied 403');
      const narrowed = await assume(chaining.url, alice, 'first', {
        Policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}',
      });
      expect(await outcome(assume(chaining.url, narrowed, 'second'))).toBe('AccessDenied 403');
    } finally {
      await chaining.stop();
    }
  });
});

describe('what a role or session policy does not allow', () => {
  const prefixPolicy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 's3:*', Resource: 'arn:aws:s3:::data/team-a/*' },
      {
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: 'arn:aws:s3:::data',
        Condition: { StringLike: { 's3:prefix': 'team-a/*' } },
      },
    ],
  });

  it('is denied and does not reach the store', async () => {
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'data'));
    const before = sidecar.seen.length;
    const object = { Bucket: 'data', Key: 'secret/x' };
    expect(await outcome(s3.send(new GetObjectCommand(object)))).toBe('AccessDenied 403');
    expect(await outcome(s3.send(new PutObjectCommand({ ...object, Body: 'x' })))).toBe('AccessDenied 403');
    expect(await outcome(s3.send(new CreateBucketCommand({ Bucket: 'other' })))).toBe('AccessDenied 403');
    expect(
      await outcome(
        s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'x', Body: 'x', ACL: 'public-read' })),
      ),
    ).toBe('AccessDenied 403');
    expect(sidecar.seen.length).toBe(before);
  });

  it('is explained in the words of AWS', async () => {
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'data'));
    await expect(s3.send(new GetObjectCommand({ Bucket: 'other', Key: 'x' }))).rejects.toThrow(
      `User: arn:aws:sts::${account}:assumed-role/data/test is not authorized to perform: s3:GetObject on resource: ` +
        '"arn:aws:s3:::other/x" because no identity-based policy allows the s3:GetObject action',
    );
  });

  it('is denied outside the prefix of an inline session policy', async () => {
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'data', { Policy: prefixPolicy }));
    const put = (Key: string) => outcome(s3.send(new PutObjectCommand({ Bucket: 'data', Key, Body: 'x' })));
    const list = (Prefix?: string) =>
      outcome(
        s3.send(new ListObjectsV2Command({ Bucket: 'data', ...(Prefix === undefined ? {} : { Prefix }) })),
      );
    expect(await put('team-a/x')).toBe('allowed');
    expect(await put('team-b/x')).toBe('AccessDenied 403');
    expect(await put('team-a')).toBe('AccessDenied 403');
    expect(await list('team-a/')).toBe('allowed');
    expect(await list('team-b/')).toBe('AccessDenied 403');
    expect(await list()).toBe('AccessDenied 403');
  });

  it('never widens the role by a session policy', async () => {
    const everything =
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}';
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'reader', { Policy: everything }));
    expect(await outcome(s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'x', Body: 'x' })))).toBe(
      'AccessDenied 403',
    );
  });

  it('is denied outside a managed session policy', async () => {
    const s3 = s3Client(
      sidecar.url,
      await assume(sidecar.url, alice, 'data', {
        PolicyArns: [{ arn: `arn:aws:iam::${account}:policy/ReadOnly` }],
      }),
    );
    expect(await outcome(s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'team-a/x' })))).toBe('allowed');
    expect(await outcome(s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'team-a/x', Body: 'x' })))).toBe(
      'AccessDenied 403',
    );
  });

  it('is decided key by key in a multi-delete', async () => {
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'data', { Policy: prefixPolicy }));
    const result = await s3.send(
      new DeleteObjectsCommand({
        Bucket: 'data',
        Delete: { Objects: [{ Key: 'team-a/x' }, { Key: 'team-b/x' }, { Key: 'secret/x' }] },
      }),
    );
    expect(result.Deleted?.map(({ Key }) => Key)).toEqual(['team-a/x']);
    expect(result.Errors?.map(({ Key, Code }) => `${Key} ${Code}`)).toEqual([
      'team-b/x AccessDenied',
      'secret/x AccessDenied',
    ]);
  });

  it('leaves the store alone when every key of a multi-delete is denied, and still answers 200', async () => {
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'data'));
    const before = sidecar.seen.length;
    const result = await s3.send(
      new DeleteObjectsCommand({
        Bucket: 'data',
        Delete: { Objects: [{ Key: 'secret/a' }, { Key: 'secret/b' }], Quiet: true },
      }),
    );
    expect(result.Errors?.map(({ Key }) => Key)).toEqual(['secret/a', 'secret/b']);
    expect(sidecar.seen.length).toBe(before);
  });

  it('refuses a multi-delete as a whole when no policy could allow a single key', async () => {
    const s3 = s3Client(sidecar.url, await assume(sidecar.url, alice, 'reader'));
    const before = sidecar.seen.length;
    const batch = new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects: [{ Key: 'a' }] } });
    expect(await outcome(s3.send(batch))).toBe('AccessDenied 403');
    expect(sidecar.seen.length).toBe(before);
  });

  it('hides whether an object exists from callers who may not list', async () => {
    const reader = s3Client(sidecar.url, await assume(sidecar.url, alice, 'reader'));
    const data = s3Client(sidecar.url, await assume(sidecar.url, alice, 'data'));
    const missing = { Bucket: 'data', Key: 'never-written' };
    expect(await outcome(reader.send(new GetObjectCommand(missing)))).toBe('AccessDenied 403');
    expect(await outcome(reader.send(new HeadObjectCommand(missing)))).toMatch(/ 403$/);
    expect(await outcome(data.send(new GetObjectCommand(missing)))).toBe('NoSuchKey 404');
    expect(await outcome(data.send(new HeadObjectCommand(missing)))).toMatch(/ 404$/);
  });

  it('is denied to a user without policies', async () => {
    expect(await outcome(s3Client(sidecar.url, bob).send(new ListBucketsCommand({})))).toBe(
      'AccessDenied 403',
    );
    expect(await outcome(assume(sidecar.url, bob, 'data'))).toBe('AccessDenied 403');
    expect(await outcome(assume(sidecar.url, bob, 'no-such-role'))).toBe('AccessDenied 403');
  });
});

describe('a session', () => {
  it('is ExpiredToken once its time is over, for S3 and STS', async () => {
    const session = await assume(sidecar.url, alice, 'data', { DurationSeconds: 900 }, clock);
    const before = sidecar.seen.length;
    clock.advance(840_000);
    expect(
      await outcome(
        s3Client(sidecar.url, session, { clock }).send(
          new GetObjectCommand({ Bucket: 'data', Key: 'provided' }),
        ),
      ),
    ).toBe('allowed');
    clock.advance(61_000);
    expect(sidecar.seen.length).toBe(before + 1);
    expect(
      await outcome(
        s3Client(sidecar.url, session, { clock }).send(
          new GetObjectCommand({ Bucket: 'data', Key: 'provided' }),
        ),
      ),
    ).toBe('ExpiredToken 400');
    expect(
      await outcome(stsClient(sidecar.url, session, clock).send(new GetCallerIdentityCommand({}))),
    ).toMatch(/^ExpiredToken(Exception)? 403$/);
    expect(sidecar.seen.length).toBe(before + 1);
  });

  it('cannot use the token of another session, nor its own key without the token', async () => {
    const one = await assume(sidecar.url, alice, 'data', {}, clock);
    const two = await assume(sidecar.url, alice, 'data', {}, clock);
    const get = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) =>
      outcome(
        s3Client(sidecar.url, credentials, { clock }).send(
          new GetObjectCommand({ Bucket: 'data', Key: 'provided' }),
        ),
      );
    expect(await get(one)).toBe('allowed');
    expect(await get({ ...one, sessionToken: two.sessionToken })).toBe('InvalidToken 400');
    expect(await get({ accessKeyId: one.accessKeyId, secretAccessKey: one.secretAccessKey })).toBe(
      'InvalidAccessKeyId 403',
    );
    expect(await get({ ...one, sessionToken: 'made-up' })).toBe('InvalidToken 400');
    expect(await get({ ...one, secretAccessKey: two.secretAccessKey })).toBe('SignatureDoesNotMatch 403');
    expect(await get({ ...alice, sessionToken: one.sessionToken })).toBe('InvalidToken 400');
  });

  it('has another secret than a second session with the same access key id, and refuses its token', async () => {
    // Only the bytes that make the access key id are fixed; seeds stay random.
    let calls = 0;
    const forced = await startSidecar({
      clock,
      randomness: {
        bytes: (length) => {
          calls += 1;
          return length === 5 ? new Uint8Array(5) : crypto.getRandomValues(new Uint8Array(length));
        },
      },
    });
    try {
      const one = await assume(forced.url, alice, 'admin', {}, clock);
      const two = await assume(forced.url, alice, 'admin', {}, clock);
      expect(calls).toBeGreaterThan(0);
      expect(two.accessKeyId).toBe(one.accessKeyId);
      expect(two.secretAccessKey).not.toBe(one.secretAccessKey);
      const list = (credentials: typeof one) =>
        outcome(s3Client(forced.url, credentials, { clock }).send(new ListBucketsCommand({})));
      expect(await list(one)).toBe('allowed');
      expect(await list(two)).toBe('allowed');
      expect(await list({ ...one, sessionToken: two.sessionToken })).toBe('SignatureDoesNotMatch 403');
      expect(await list({ ...two, sessionToken: one.sessionToken })).toBe('SignatureDoesNotMatch 403');
    } finally {
      await forced.stop();
    }
  });

  it('sends its token to the sidecar only', async () => {
    const session = await assume(sidecar.url, alice, 'data', {}, clock);
    await s3Client(sidecar.url, session, { clock }).send(
      new GetObjectCommand({ Bucket: 'data', Key: 'provided' }),
    );
    const last = sidecar.seen.at(-1);
    expect(last?.headers.has('x-amz-security-token')).toBe(false);
    expect(last?.headers.get('authorization')).toContain(
      `Credential=${sidecar.storeCredentials.accessKeyId}/`,
    );
    expect(
      sidecar.seen.every(
        ({ headers }) => ![...headers].some(({ value }) => value.includes(session.accessKeyId)),
      ),
    ).toBe(true);
  });
});

it('keeps AssumeRole errors in the SDK’s own classes', async () => {
  const sts = stsClient(sidecar.url, alice, clock);
  const call = (input: object) =>
    outcome(sts.send(new AssumeRoleCommand({ RoleArn: roleArn('data'), RoleSessionName: 'x1', ...input })));
  expect(await call({ Policy: '{' })).toMatch(/^MalformedPolicyDocument(Exception)? 400$/);
  expect(await call({ DurationSeconds: 3601 })).toBe('ValidationError 400');
  expect(await call({ RoleSessionName: 'a b' })).toBe('ValidationError 400');
  expect(await call({ RoleArn: roleArn('missing') })).toBe('AccessDenied 403');
});
