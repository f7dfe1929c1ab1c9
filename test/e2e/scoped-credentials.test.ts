import { randomBytes } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import {
  AssumeRoleCommand,
  type Credentials,
  DecodeAuthorizationMessageCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetScopedCredentialsCommand,
  type GetScopedCredentialsCommandInput,
  type GetScopedCredentialsCommandOutput,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ControlClient, controlClient } from '../support/control-client.ts';
import { assume, outcome, type SdkCredentials, s3Client, stsClient } from '../support/sdk.ts';
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
const controlToken = randomBytes(24).toString('base64url');
const sessionArn = (role: string, session = 'test'): string =>
  `arn:aws:sts::${account}:assumed-role/${role}/${session}`;
const trust = `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::${account}:root" }, Action: "sts:AssumeRole" }] }`;
const directory = `
directory:
  policies:
    All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "*", Resource: "*" }] }
  users:
    - { name: alice, policies: [All], accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }] }
    - { name: bob, accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }] }
  roles:
    - { name: agent, policies: [All], trustPolicy: ${trust} }
    - { name: next, policies: [All], trustPolicy: ${trust} }
    - { name: bare, trustPolicy: ${trust} }
    - { name: watched, enforcement: audit, trustPolicy: ${trust} }
  bucketPolicies:
    by-session:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Principal: { AWS: "${sessionArn('bare')}" }, Action: ["s3:GetObject", "s3:PutObject", "s3:ListBucket"], Resource: ["arn:aws:s3:::by-session", "arn:aws:s3:::by-session/*"] }
    by-role:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Principal: { AWS: "${roleArn('bare')}" }, Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::by-role/*" }
    by-everyone:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Principal: "*", Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::by-everyone/*" }
`;
const buckets = ['data', 'other', 'by-session', 'by-role', 'by-everyone'];
const objects = ['red/a', 'blue/a'];
let sidecar: TestSidecar;
let control: ControlClient;

beforeAll(async () => {
  sidecar = await startSidecar({
    clock,
    directory,
    variables: { CONTROL: controlToken },
    further: 'control: { listen: "127.0.0.1:0", token: { env: CONTROL } }',
  });
  control = controlClient(sidecar.controlUrl, controlToken);
  const store = s3Client(sidecar.storeUrl, sidecar.storeCredentials, { clock });
  for (const Bucket of buckets) {
    await store.send(new CreateBucketCommand({ Bucket }));
    for (const Key of objects) await store.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
  }
});
afterAll(() => sidecar.stop());

type Holder = Required<SdkCredentials>;
const holder = ({ Credentials }: { Credentials?: Credentials | undefined }): Holder => ({
  accessKeyId: Credentials?.AccessKeyId ?? '',
  secretAccessKey: Credentials?.SecretAccessKey ?? '',
  sessionToken: Credentials?.SessionToken ?? '',
});
const scope = (
  keys: SdkCredentials,
  input: Omit<GetScopedCredentialsCommandInput, 'Policy'> & { Policy?: object } = {},
): Promise<GetScopedCredentialsCommandOutput> => {
  const { Policy, ...rest } = input;
  const policy = Policy === undefined ? {} : { Policy: JSON.stringify(Policy) };
  return stsClient(sidecar.url, keys, clock).send(new GetScopedCredentialsCommand({ ...rest, ...policy }));
};
const allow = (Action: string | string[], Resource: string | string[] = '*', Condition = {}): object => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action, Resource, Condition }],
});
const session = (role = 'agent'): Promise<Holder> => assume(sidecar.url, alice, role, {}, clock);
const whoIs = async (keys: SdkCredentials): Promise<unknown> => {
  const { Arn, UserId, Account } = await stsClient(sidecar.url, keys, clock).send(
    new GetCallerIdentityCommand({}),
  );
  return { Arn, UserId, Account };
};
const s3 = (keys: SdkCredentials) => s3Client(sidecar.url, keys, { clock });
const read = (keys: SdkCredentials, Bucket: string, Key: string): Promise<string> =>
  outcome(s3(keys).send(new GetObjectCommand({ Bucket, Key })));
const write = (keys: SdkCredentials, Bucket: string, Key: string): Promise<string> =>
  outcome(s3(keys).send(new PutObjectCommand({ Bucket, Key, Body: 'y' })));
const remove = (keys: SdkCredentials, Bucket: string, Key: string): Promise<string> =>
  outcome(s3(keys).send(new DeleteObjectCommand({ Bucket, Key })));
const refused = 'AccessDenied 403';

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

describe('the end of a session', () => {
  it('is that of its scoped sessions, also by its own expiry', async () => {
    const parent = await session();
    const kept = holder(await scope(parent, { Policy: allow('s3:GetObject') }));
    const short = holder(await scope(kept, { DurationSeconds: 60 }));
    clock.advance(61_000);
    expect(await read(short, 'data', 'red/a')).toBe('ExpiredToken 400');
    expect(await read(kept, 'data', 'red/a')).toBe('allowed');
    clock.advance(3_540_000);
    expect(await read(kept, 'data', 'red/a')).toBe('ExpiredToken 400');
    expect(await outcome(scope(kept, { DurationSeconds: 60 }))).toMatch(/^ExpiredToken(Exception)? 403$/);
  });

  const idOf = (issuedKey: string): string => {
    const line = sidecar.logged
      .map((text) => JSON.parse(text))
      .findLast((one) => one.access_key_id === issuedKey);
    return String(line?.session_id);
  };
  const identityOf = (keys: SdkCredentials): Promise<string> => outcome(whoIs(keys));
  interface Family {
    readonly parent: Holder;
    readonly other: Holder;
    readonly children: Readonly<Record<string, Holder>>;
  }
  const family = async (parent: Holder): Promise<Family> => {
    const scoped = holder(await scope(parent, { Policy: allow('*') }));
    const grandchild = holder(await scope(scoped, { DurationSeconds: 300 }));
    const assumed = await assume(sidecar.url, grandchild, 'next', { RoleSessionName: 'child' }, clock);
    const scopedAgain = holder(await scope(assumed, { Policy: allow('*') }));
    return { parent, other: await session(), children: { scoped, grandchild, assumed, scopedAgain } };
  };
  const whoEnded = async ({ children }: Family): Promise<string[]> => {
    const names: string[] = [];
    for (const [name, keys] of Object.entries(children))
      if ((await identityOf(keys)) !== 'allowed') names.push(name);
    return names;
  };
  let added: string[] = [];
  beforeEach(async () => {
    for (const id of added) await control.remove(id);
    added = [];
    // A run-time revocation includes the second that it is made in.
    clock.advance(2_000);
  });
  const revoke = async (body: object): Promise<void> => {
    const answer = await control.add(body);
    expect(answer.status).toBe(201);
    added.push(answer.body['id'] ?? '');
  };

  it('by its id ends its children of every kind, and no other session', async () => {
    const all = await family(await session());
    expect([await identityOf(all.parent), await whoEnded(all)]).toEqual(['allowed', []]);
    await revoke({ sessionId: idOf(all.parent.accessKeyId) });
    expect(await identityOf(all.parent)).not.toBe('allowed');
    expect(await whoEnded(all)).toEqual(['scoped', 'grandchild', 'assumed', 'scopedAgain']);
    expect(await identityOf(all.other)).toBe('allowed');
    expect(await read(all.children['scoped'] ?? alice, 'data', 'red/a')).toBe('ExpiredToken 400');
  });

  it('by its id ends only what descends from it', async () => {
    const all = await family(await session());
    const { grandchild } = all.children;
    await identityOf(grandchild ?? alice);
    await revoke({ sessionId: idOf(grandchild?.accessKeyId ?? '') });
    expect(await whoEnded(all)).toEqual(['grandchild', 'assumed', 'scopedAgain']);
    expect(await identityOf(all.parent)).toBe('allowed');
  });

  it.each([
    ['role session', { roleSession: 'agent/test' }],
    ['role', { role: 'agent' }],
  ])('by its %s ends the sessions of other roles that descend from it', async (_, body) => {
    const all = await family(await session());
    clock.advance(2_000);
    await revoke(body);
    expect(await whoEnded(all)).toEqual(['scoped', 'grandchild', 'assumed', 'scopedAgain']);
  });

  it('by its user ends what descends from a session of the user, and not what the long-term key assumed', async () => {
    const all = await family(
      holder(await stsClient(sidecar.url, alice, clock).send(new GetSessionTokenCommand({}))),
    );
    clock.advance(2_000);
    await revoke({ user: 'alice' });
    expect(await whoEnded(all)).toEqual(['scoped', 'grandchild', 'assumed', 'scopedAgain']);
    expect(await identityOf(all.other)).toBe('allowed');
  });

  it('by its time ends descendants that are newer than that time', async () => {
    const parent = await session();
    clock.advance(60_000);
    const issuedBefore = new Date(Math.floor(clock.now() / 1000) * 1000).toISOString();
    clock.advance(60_000);
    const all = await family(parent);
    await revoke({ issuedBefore });
    expect(await identityOf(all.parent)).not.toBe('allowed');
    expect(await whoEnded(all)).toEqual(['scoped', 'grandchild', 'assumed', 'scopedAgain']);
    expect(await identityOf(all.other)).toBe('allowed');
  });

  it('of a federated user ends with that of its user', async () => {
    const guest = holder(
      await stsClient(sidecar.url, alice, clock).send(
        new GetFederationTokenCommand({ Name: 'guest', Policy: JSON.stringify(allow('s3:*')) }),
      ),
    );
    const scoped = holder(await scope(guest, { Policy: allow('s3:GetObject') }));
    expect([await read(scoped, 'data', 'red/a'), await write(scoped, 'data', 'red/c')]).toEqual([
      'allowed',
      refused,
    ]);
    clock.advance(2_000);
    await revoke({ user: 'alice' });
    expect(await read(scoped, 'data', 'red/a')).toBe('ExpiredToken 400');
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
