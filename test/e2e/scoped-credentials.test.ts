import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3';
import {
  AssumeRoleCommand,
  DecodeAuthorizationMessageCommand,
  type GetScopedCredentialsCommandOutput,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  allow,
  clock,
  type Holder,
  holder,
  objects,
  read,
  refused,
  remove,
  s3,
  scope,
  session,
  sessionArn,
  sidecar,
  startScopedWorld,
  stopScopedWorld,
  whoIs,
  write,
} from '../support/scoped-world.ts';
import { outcome, stsClient } from '../support/sdk.ts';
import { alice, roleArn } from '../support/sidecar.ts';

beforeAll(startScopedWorld);
afterAll(stopScopedWorld);

describe('a session that narrows itself twice', () => {
  let parent: Holder;
  let first: GetScopedCredentialsCommandOutput;
  let second: GetScopedCredentialsCommandOutput;
  beforeAll(async () => {
    parent = await session();
    first = await scope(parent, { Policy: allow(['s3:GetObject', 's3:PutObject'], 'arn:aws:s3:::data/*') });
    second = await scope(holder(first), {
      Policy: allow('s3:*', 'arn:aws:s3:::data/red/*'),
      DurationSeconds: 600,
      ScopedSessionDescription: 'reads the red part',
    });
  });

  it('is told what it has', () => {
    expect(first).toMatchObject({
      SessionInfo: { Arn: sessionArn('agent'), ScopedSessionId: expect.stringMatching(/^AROA\w+:test$/) },
      ScopedPoliciesCount: 1,
      SessionTokenSize: holder(first).sessionToken.length,
    });
    expect(second).toMatchObject({ SessionInfo: first.SessionInfo, ScopedPoliciesCount: 2 });
    expect(second.SessionTokenUtilization).toBe(Math.ceil((holder(second).sessionToken.length / 8192) * 100));
    expect(second).not.toHaveProperty('SourceIdentity');
    expect(second.Credentials?.Expiration?.getTime()).toBeLessThanOrEqual(clock.now() + 600_000);
  });

  it('reads what is left and is refused the rest, and its ARN is unchanged', async () => {
    const [one, two] = [holder(first), holder(second)];
    expect(await whoIs(one)).toEqual(await whoIs(parent));
    expect(await whoIs(two)).toEqual(await whoIs(parent));
    for (const keys of [parent, one, two]) expect(await read(keys, 'data', 'red/a')).toBe('allowed');
    expect([await read(one, 'data', 'blue/a'), await read(two, 'data', 'blue/a')]).toEqual([
      'allowed',
      refused,
    ]);
    expect([await write(one, 'data', 'red/b'), await write(two, 'data', 'red/b')]).toEqual([
      'allowed',
      'allowed',
    ]);
    // The second policy allows it, the first one does not.
    expect([await remove(one, 'data', 'red/b'), await remove(two, 'data', 'red/b')]).toEqual([
      refused,
      refused,
    ]);
    expect([await read(one, 'other', 'red/a'), await read(two, 'other', 'red/a')]).toEqual([
      refused,
      refused,
    ]);
    expect(await outcome(s3(two).send(new ListObjectsV2Command({ Bucket: 'data', Prefix: 'red/' })))).toBe(
      refused,
    );
    expect(await outcome(s3(two).send(new ListBucketsCommand({})))).toBe(refused);
    expect(await remove(parent, 'data', 'red/b')).toBe('allowed');
  });

  it('is refused item by item in a batch', async () => {
    const only = holder(await scope(parent, { Policy: allow('s3:DeleteObject', 'arn:aws:s3:::data/tmp/*') }));
    const { Deleted = [], Errors = [] } = await s3(only).send(
      new DeleteObjectsCommand({ Bucket: 'data', Delete: { Objects: [{ Key: 'tmp/a' }, { Key: 'red/a' }] } }),
    );
    expect([Deleted.map(({ Key }) => Key), Errors.map(({ Key, Code }) => [Key, Code])]).toEqual([
      ['tmp/a'],
      [['red/a', 'AccessDenied']],
    ]);
    expect(await read(parent, 'data', 'red/a')).toBe('allowed');
  });

  it('sees only the buckets that are left', async () => {
    const only = holder(await scope(parent, { Policy: allow('s3:ListBucket', 'arn:aws:s3:::other') }));
    const { Buckets = [] } = await s3(only).send(new ListBucketsCommand({}));
    expect(Buckets.map(({ Name }) => Name)).toEqual(['other']);
  });

  it('is told which layer refuses, and so is who decodes the message and reads the log', async () => {
    const error = await s3(holder(second))
      .send(new GetObjectCommand({ Bucket: 'data', Key: 'blue/a' }))
      .catch((fault: Error) => fault);
    expect(String(error)).toContain('because no scope-down policy allows the s3:GetObject action (layer 2)');
    const [, EncodedMessage] = String(error).split('Encoded authorization failure message: ');
    const { DecodedMessage = '' } = await stsClient(sidecar.url, alice, clock).send(
      new DecodeAuthorizationMessageCommand({ EncodedMessage }),
    );
    expect(JSON.parse(DecodedMessage)).toMatchObject({ denial: { policyType: 'scopeDown' } });
    const line = sidecar.logged.map((text) => JSON.parse(text)).findLast(({ key }) => key !== undefined);
    expect(line).toMatchObject({ decision: 'deny', policy_type: 'scopeDown' });
    const issued = sidecar.logged
      .map((text) => JSON.parse(text))
      .filter((one) => one.scoped_session_description);
    expect(issued).toHaveLength(1);
    expect(issued[0]).toMatchObject({
      operation: 'GetScopedCredentials',
      scoped_session_description: 'reads the red part',
      principal_arn: sessionArn('agent'),
    });
  });

  it('names the policy of an explicit Deny', async () => {
    const Policy = {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: '*', Resource: '*' },
        { Sid: 'NotBlue', Effect: 'Deny', Action: 's3:*', Resource: 'arn:aws:s3:::data/blue/*' },
      ],
    };
    const keys = holder(await scope(holder(first), { Policy }));
    expect(await read(keys, 'data', 'blue/a')).toBe(refused);
    const line = sidecar.logged
      .map((text) => JSON.parse(text))
      .findLast(({ decision }) => decision === 'deny');
    expect(line).toMatchObject({ matched_policy: 'scope-down policy 2', matched_sid: 'NotBlue' });
  });
});

describe('a bucket policy that names a session', () => {
  it.each(['by-session', 'by-role', 'by-everyone'])(
    'grants a scoped one only what is left: %s',
    async (bucket) => {
      const parent = await session('bare');
      const reading = holder(
        await scope(parent, { Policy: allow('s3:GetObject', `arn:aws:s3:::${bucket}/red/*`) }),
      );
      const nothing = holder(await scope(parent, { Policy: allow('s3:GetObject', 'arn:aws:s3:::none/*') }));
      for (const Key of objects) {
        expect([await read(parent, bucket, Key), await write(parent, bucket, Key)]).toEqual([
          'allowed',
          'allowed',
        ]);
        expect([await read(nothing, bucket, Key), await write(nothing, bucket, Key)]).toEqual([
          refused,
          refused,
        ]);
      }
      expect([await read(reading, bucket, 'red/a'), await write(reading, bucket, 'red/a')]).toEqual([
        'allowed',
        refused,
      ]);
      expect([await read(reading, bucket, 'blue/a'), await write(reading, bucket, 'blue/a')]).toEqual([
        refused,
        refused,
      ]);
    },
  );

  it('grants a session with nothing but a shorter life all that it grants the calling one', async () => {
    const short = holder(await scope(await session('bare'), { DurationSeconds: 60 }));
    expect(await write(short, 'by-session', 'red/a')).toBe('allowed');
    expect(await write(short, 'data', 'red/a')).toBe(refused);
  });
});

describe('audit mode', () => {
  it('relaxes no scope-down policy', async () => {
    const parent = await session('watched');
    const scoped = holder(await scope(parent, { Policy: allow('s3:GetObject', 'arn:aws:s3:::data/*') }));
    expect([await read(parent, 'data', 'red/a'), await read(scoped, 'data', 'red/a')]).toEqual([
      'allowed',
      'allowed',
    ]);
    expect([await read(parent, 'other', 'red/a'), await read(scoped, 'other', 'red/a')]).toEqual([
      'allowed',
      refused,
    ]);
  });
});

describe('a policy that looks at when the session was issued', () => {
  it('treats a scoped session as the calling one', async () => {
    const parent = await session();
    clock.advance(120_000);
    const before = new Date(clock.now() - 60_000).toISOString();
    const Policy = {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' },
        {
          Effect: 'Deny',
          Action: '*',
          Resource: '*',
          Condition: { DateLessThan: { 'aws:TokenIssueTime': before } },
        },
      ],
    };
    const scoped = holder(await scope(parent, { Policy }));
    expect(await read(scoped, 'data', 'red/a')).toBe(refused);
  });
});

describe('what is refused', () => {
  it('is told to the SDK with its code', async () => {
    const parent = await session();
    const said = async (call: Promise<unknown>): Promise<string> => outcome(call);
    expect(await said(scope(alice, { DurationSeconds: 60 }))).toBe('AccessDenied 403');
    expect(await said(scope(parent))).toBe('ValidationError 400');
    expect(await said(scope(parent, { DurationSeconds: 3_601 }))).toBe(
      'InsufficientSessionLifetimeException 400',
    );
    expect(await said(scope(parent, { Policy: { Statement: [] } }))).toBe(
      'MalformedPolicyDocumentException 400',
    );
    const mixed = {
      ...holder(await scope(parent, { DurationSeconds: 60 })),
      sessionToken: parent.sessionToken,
    };
    expect(await said(scope(mixed, { DurationSeconds: 60 }))).toBe('InvalidClientTokenId 403');
    expect(
      await said(scope(parent, { DurationSeconds: 60, ScopedSessionDescription: 'x'.repeat(257) })),
    ).toBe('ValidationError 400');
  });

  it('is a role that only the parent may assume', async () => {
    const scoped = holder(await scope(await session(), { Policy: allow('s3:*') }));
    const next = new AssumeRoleCommand({ RoleArn: roleArn('next'), RoleSessionName: 'child' });
    expect(await outcome(stsClient(sidecar.url, scoped, clock).send(next))).toBe(refused);
  });
});
