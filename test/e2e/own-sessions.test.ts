import { randomBytes } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import {
  AssumeRoleCommand,
  type Credentials,
  DecodeAuthorizationMessageCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcome, type SdkCredentials, s3Client, stsClient } from '../support/sdk.ts';
import { account, alice, bob, startSidecar, type TestSidecar } from '../support/sidecar.ts';

const rootKey = { accessKeyId: 'AKIAROOTROOTROOTROOT', secretAccessKey: randomBytes(30).toString('base64') };
const totpSecret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const statement = (effect: string, action: string, resource: string, condition = ''): string =>
  `{ Effect: ${effect}, Action: ${action}, Resource: "${resource}"${condition} }`;
const directory = `
directory:
  root: { accessKeys: [{ accessKeyId: ${rootKey.accessKeyId}, secretAccessKey: { file: root-secret } }] }
  users:
    - name: alice
      tags: { team: blue }
      mfaDevices: [{ serialNumber: "arn:aws:iam::${account}:mfa/alice", totpSecret: { file: totp-secret } }]
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies:
        Own:
          Version: "2012-10-17"
          Statement:
            - ${statement('Allow', '["s3:*", "sts:*"]', '*')}
            - ${statement('Deny', '"s3:DeleteObject"', '*', ', Condition: { Bool: { "aws:MultiFactorAuthPresent": "false" } }')}
            - ${statement('Deny', '"s3:GetObject"', 'arn:aws:s3:::data/not-blue/*', ', Condition: { StringEquals: { "aws:PrincipalTag/team": "blue" } }')}
    - { name: bob, accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }] }
  bucketPolicies:
    shared:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Principal: { AWS: "arn:aws:sts::${account}:federated-user/named" }, Action: "s3:GetObject", Resource: "arn:aws:s3:::shared/*" }
        - { Effect: Deny, Principal: { AWS: "arn:aws:iam::${account}:root" }, Action: "s3:GetObject", Resource: "arn:aws:s3:::shared/closed/*" }
`;

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar({
    directory,
    files: { 'root-secret': rootKey.secretAccessKey, 'totp-secret': totpSecret },
  });
  const store = s3Client(sidecar.storeUrl, sidecar.storeCredentials);
  for (const Bucket of ['data', 'shared']) await store.send(new CreateBucketCommand({ Bucket }));
  for (const Key of ['a', 'not-blue/a'])
    await store.send(new PutObjectCommand({ Bucket: 'data', Key, Body: 'x' }));
  for (const Key of ['a', 'closed/a'])
    await store.send(new PutObjectCommand({ Bucket: 'shared', Key, Body: 'x' }));
});
afterAll(() => sidecar.stop());

function toCredentials(credentials: Credentials | undefined): Required<SdkCredentials> {
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = credentials ?? {};
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
}
const ownSession = async (key = alice): Promise<Required<SdkCredentials>> =>
  toCredentials((await stsClient(sidecar.url, key).send(new GetSessionTokenCommand({}))).Credentials);
const federated = async (Name: string, Policy?: object, key = alice): Promise<Required<SdkCredentials>> =>
  toCredentials(
    (
      await stsClient(sidecar.url, key).send(
        new GetFederationTokenCommand({
          Name,
          ...(Policy === undefined
            ? {}
            : { Policy: JSON.stringify({ Version: '2012-10-17', Statement: Policy }) }),
        }),
      )
    ).Credentials,
  );
const s3 = (credentials: SdkCredentials): S3Client => s3Client(sidecar.url, credentials);
const get = (credentials: SdkCredentials, Key: string, Bucket = 'data'): Promise<string> =>
  outcome(s3(credentials).send(new GetObjectCommand({ Bucket, Key })));
const remove = (credentials: SdkCredentials): Promise<string> =>
  outcome(s3(credentials).send(new DeleteObjectCommand({ Bucket: 'data', Key: 'gone' })));

describe('a user’s own session', () => {
  it('does what the user does, with the user’s tags', async () => {
    const session = await ownSession();
    expect(await get(session, 'a')).toBe('allowed');
    expect(await get(session, 'not-blue/a')).toBe('AccessDenied 403');
    expect(await get(await ownSession(bob), 'a')).toBe('AccessDenied 403');
  });

  it('says that there was no second factor, which a long-term key does not', async () => {
    expect(await remove(alice)).toBe('allowed');
    expect(await remove(await ownSession())).toBe('AccessDenied 403');
  });

  it('with a second factor may do what needs one', async () => {
    const code = new TOTP({ secret: Secret.fromBase32(totpSecret) }).generate();
    const SerialNumber = `arn:aws:iam::${account}:mfa/alice`;
    const proved = new GetSessionTokenCommand({ SerialNumber, TokenCode: code });
    const sts = stsClient(sidecar.url, alice);
    expect(await remove(toCredentials((await sts.send(proved)).Credentials))).toBe('allowed');
    await expect(sts.send(proved)).rejects.toMatchObject({
      name: 'AccessDenied',
      message: 'MultiFactorAuthentication failed with invalid MFA one time pass code.',
    });
    expect(sidecar.logged.join('')).not.toContain(code);
  });

  it('does not work without its token, or with the token of another session', async () => {
    const { accessKeyId, secretAccessKey } = await ownSession();
    expect(await get({ accessKeyId, secretAccessKey }, 'a')).toBe('InvalidAccessKeyId 403');
    const { sessionToken } = await ownSession();
    expect(await get({ accessKeyId, secretAccessKey, sessionToken }, 'a')).toBe('InvalidToken 400');
  });
});

describe('a federated user', () => {
  const readData = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::data/*' };

  it('does what both the user and its session policy allow', async () => {
    const session = await federated('jean', readData);
    expect(await get(session, 'a')).toBe('allowed');
    expect(await get(session, 'not-blue/a')).toBe('AccessDenied 403');
    expect(await get(session, 'a', 'shared')).toBe('AccessDenied 403');
    expect(await outcome(s3(session).send(new ListBucketsCommand({})))).not.toBe('allowed');
  });

  it('does nothing without a session policy, unless a bucket policy names it', async () => {
    expect(await get(await federated('jean'), 'a')).toBe('AccessDenied 403');
    expect(await get(await federated('jean'), 'a', 'shared')).toBe('AccessDenied 403');
    expect(await get(await federated('named'), 'a', 'shared')).toBe('allowed');
    expect(await get(await federated('named'), 'a')).toBe('AccessDenied 403');
  });

  it('is denied what a bucket policy denies the account', async () => {
    expect(await get(await federated('named', readData), 'closed/a', 'shared')).toBe('AccessDenied 403');
  });
});

describe('root', () => {
  it('does everything but what a bucket policy denies', async () => {
    expect(await get(rootKey, 'not-blue/a')).toBe('allowed');
    expect(await get(rootKey, 'a', 'shared')).toBe('allowed');
    expect(await get(rootKey, 'closed/a', 'shared')).toBe('AccessDenied 403');
    expect(await get(await ownSession(rootKey), 'not-blue/a')).toBe('allowed');
  });

  it('grants a federated user no more than a session policy allows', async () => {
    const readData = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::data/a' };
    const session = await federated('visitor', readData, rootKey);
    expect(await get(session, 'a')).toBe('allowed');
    expect(await get(session, 'not-blue/a')).toBe('AccessDenied 403');
    expect(await get(await federated('visitor', undefined, rootKey), 'a')).toBe('AccessDenied 403');
  });

  it('assumes no role', async () => {
    const assume = new AssumeRoleCommand({
      RoleArn: `arn:aws:iam::${account}:role/any`,
      RoleSessionName: 'root',
    });
    await expect(stsClient(sidecar.url, rootKey).send(assume)).rejects.toMatchObject({
      name: 'AccessDenied',
      message: 'Roles may not be assumed by root accounts.',
    });
  });
});

describe('an SDK', () => {
  it('reads every answer', async () => {
    const sts = stsClient(sidecar.url, alice);
    const federation = await sts.send(new GetFederationTokenCommand({ Name: 'jean' }));
    expect(federation.FederatedUser).toEqual({
      Arn: `arn:aws:sts::${account}:federated-user/jean`,
      FederatedUserId: `${account}:jean`,
    });
    expect(federation.PackedPolicySize).toBe(0);
    expect(federation.Credentials?.Expiration).toBeInstanceOf(Date);
    const session = await ownSession();
    const identity = await stsClient(sidecar.url, session).send(new GetCallerIdentityCommand({}));
    expect(identity.Arn).toBe(`arn:aws:iam::${account}:user/alice`);
    const info = await sts.send(new GetAccessKeyInfoCommand({ AccessKeyId: session.accessKeyId }));
    expect(info.Account).toBe(account);
  });

  it('decodes why S3 refused', async () => {
    const refused = await s3(await ownSession())
      .send(new DeleteObjectCommand({ Bucket: 'data', Key: 'gone' }))
      .catch((error: unknown) => (error instanceof Error ? error.message : ''));
    const [, EncodedMessage = ''] = String(refused).split(' Encoded authorization failure message: ');
    const { DecodedMessage = '' } = await stsClient(sidecar.url, alice).send(
      new DecodeAuthorizationMessageCommand({ EncodedMessage }),
    );
    expect(JSON.parse(DecodedMessage)).toMatchObject({
      allowed: false,
      explicitDeny: true,
      matchedStatements: { items: [{ sourcePolicyId: 'Own', statementIndex: 1 }] },
      context: { action: 's3:DeleteObject', resource: 'arn:aws:s3:::data/gone' },
    });
  });
});
