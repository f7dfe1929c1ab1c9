import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  type AssumeRoleWithWebIdentityCommandOutput,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { fromTokenFile, fromWebToken } from '@aws-sdk/credential-providers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { outcome, type SdkCredentials, s3Client, stsClient } from '../support/sdk.ts';
import { account, roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { providerArn, webIdentityDirectory } from '../support/web-identity.ts';

const clock = new TestClock();
const folder = mkdtempSync(join(tmpdir(), 'web-identity-'));
let idp: TestIdentityProvider;
let sidecar: TestSidecar;

beforeAll(async () => {
  idp = await startIdentityProvider({ clock });
  sidecar = await startSidecar({ clock, directory: webIdentityDirectory({ issuer: idp.issuer }) });
});
afterAll(async () => {
  await sidecar.stop();
  await idp.stop();
  rmSync(folder, { recursive: true });
});

type Input = Partial<AssumeRoleWithWebIdentityCommandInput>;

function assume(token: string, input: Input = {}): Promise<AssumeRoleWithWebIdentityCommandOutput> {
  const client = new STSClient({ endpoint: sidecar.url, region: 'us-east-1', maxAttempts: 1 });
  return client.send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: roleArn('pod'),
      RoleSessionName: 'app',
      WebIdentityToken: token,
      ...input,
    }),
  );
}

async function credentials(token: string, input: Input = {}): Promise<Required<SdkCredentials>> {
  const { Credentials } = await assume(token, input);
  return {
    accessKeyId: Credentials?.AccessKeyId ?? '',
    secretAccessKey: Credentials?.SecretAccessKey ?? '',
    sessionToken: Credentials?.SessionToken ?? '',
  };
}

const put = (keys: SdkCredentials, Key = 'x'): Promise<string> =>
  outcome(
    s3Client(sidecar.url, keys, { clock }).send(new PutObjectCommand({ Bucket: 'data', Key, Body: 'x' })),
  );

describe('an unmodified SDK with a web identity token', () => {
  it('reads its token file and uses the store', async () => {
    const file = join(folder, 'token');
    writeFileSync(file, await idp.mint());
    const s3 = s3Client(
      sidecar.url,
      { accessKeyId: '', secretAccessKey: '' },
      {
        clock,
        config: {
          credentials: fromTokenFile({
            webIdentityTokenFile: file,
            roleArn: roleArn('pod'),
            roleSessionName: 'app',
            clientConfig: { endpoint: sidecar.url, region: 'us-east-1' },
          }),
        },
      },
    );
    await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
    await s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'file', Body: 'from a pod' }));
    const read = await s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'file' }));
    expect(await read.Body?.transformToString()).toBe('from a pod');
  });

  it('hands its token over and uses the store', async () => {
    const provider = fromWebToken({
      webIdentityToken: await idp.mint(),
      roleArn: roleArn('pod'),
      roleSessionName: 'app',
      clientConfig: { endpoint: sidecar.url, region: 'us-east-1' },
    });
    expect(await put(await provider())).toBe('allowed');
  });

  it('is told about token, provider and session', async () => {
    const result = await assume(await idp.mint(), { Policy: everythingPolicy });
    expect(result).toMatchObject({
      SubjectFromWebIdentityToken: 'subject-1',
      Audience: 'sts-sidecar',
      Provider: idp.issuer,
      AssumedRoleUser: { Arn: `arn:aws:sts::${account}:assumed-role/pod/app` },
    });
    expect(result.AssumedRoleUser?.AssumedRoleId).toMatch(/^AROA.*:app$/);
    expect(result.PackedPolicySize).toBeGreaterThan(0);
    expect((await assume(await idp.mint())).PackedPolicySize).toBeUndefined();
  });

  it('is told who it is', async () => {
    const keys = await credentials(await idp.mint());
    const identity = await stsClient(sidecar.url, keys, clock).send(new GetCallerIdentityCommand({}));
    expect(identity.Arn).toBe(`arn:aws:sts::${account}:assumed-role/pod/app`);
  });

  it('assumes another role', async () => {
    const keys = await credentials(await idp.mint());
    const chained = stsClient(sidecar.url, keys, clock).send(
      new AssumeRoleCommand({ RoleArn: roleArn('by-role'), RoleSessionName: 'next' }),
    );
    expect((await chained).AssumedRoleUser?.Arn).toBe(`arn:aws:sts::${account}:assumed-role/by-role/next`);
  });

  it('outlives its token, up to the maximum of the role', async () => {
    const token = await idp.mint({ exp: Math.floor(clock.now() / 1000) + 60 });
    const { Credentials } = await assume(token, { RoleArn: roleArn('own-prefix'), DurationSeconds: 7200 });
    expect((Credentials?.Expiration?.getTime() ?? 0) - clock.now()).toBeGreaterThan(7_100_000);
    expect(await outcome(assume(token, { RoleArn: roleArn('own-prefix'), DurationSeconds: 7201 }))).toBe(
      'ValidationError 400',
    );
  });

  it('keeps working after the identity provider has rotated its keys', async () => {
    await idp.rotate();
    expect(await put(await credentials(await idp.mint()))).toBe('allowed');
  });
});

const everythingPolicy =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}';

describe('a session of web identity', () => {
  it('may use what a policy grants to its subject, and not to another', async () => {
    const keys = await credentials(await idp.mint(), { RoleArn: roleArn('own-prefix') });
    expect(await put(keys, 'subject-1/x')).toBe('allowed');
    expect(await put(keys, 'subject-2/x')).toBe('AccessDenied 403');
  });

  it.each(['*', '?ubject-2', `\${aws:userid}`])('gains nothing from the subject %s', async (sub) => {
    const keys = await credentials(await idp.mint({ sub }), { RoleArn: roleArn('own-prefix') });
    expect(await put(keys, 'subject-2/x')).toBe('AccessDenied 403');
  });

  it('is narrowed by its session policy', async () => {
    const Policy =
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}';
    const withEveryone = Policy.replace('{"Effect"', '{"Principal":"*","Effect"');
    for (const sent of [Policy, withEveryone])
      expect(await put(await credentials(await idp.mint(), { Policy: sent }))).toBe('AccessDenied 403');
  });
});

describe('a token that is good but for', () => {
  // The SDK appends Exception to the names of its classes.
  const refused = async (claims: Record<string, unknown>, input: Input = {}): Promise<string> =>
    (await outcome(assume(await idp.mint(claims), input))).replace(/Exception /, ' ');

  it('its audience is InvalidIdentityToken', async () => {
    expect(await refused({ aud: 'other' })).toBe('InvalidIdentityToken 400');
    expect(await refused({ aud: [] })).toBe('InvalidIdentityToken 400');
    expect(await refused({ aud: undefined })).toBe('InvalidIdentityToken 400');
  });

  it('its issuer is InvalidIdentityToken', async () => {
    expect(await refused({ iss: `${idp.issuer}/` })).toBe('InvalidIdentityToken 400');
    await expect(assume(await idp.mint({ iss: 'https://other.example.com' }))).rejects.toThrow(
      'No OpenIDConnect provider found in your account for https://other.example.com',
    );
  });

  it('its time is ExpiredTokenException', async () => {
    const now = Math.floor(clock.now() / 1000);
    expect(await refused({ exp: now - 1 })).toBe('ExpiredToken 400');
  });

  it('the trust policy’s conditions is AccessDenied, whether or not the role exists', async () => {
    const message = 'Not authorized to perform sts:AssumeRoleWithWebIdentity';
    await expect(assume(await idp.mint({ sub: 'subject-2' }))).rejects.toThrow(message);
    expect(await refused({ sub: 'subject-2' })).toBe('AccessDenied 403');
    expect(await refused({}, { RoleArn: roleArn('missing') })).toBe('AccessDenied 403');
    expect(await refused({}, { RoleArn: roleArn('other') })).toBe('AccessDenied 403');
  });

  it('a trust policy that means everyone, which names no provider', async () => {
    expect(await refused({}, { RoleArn: roleArn('everyone') })).toBe('AccessDenied 403');
  });

  it('a trust policy for AssumeRole only', async () => {
    expect(await refused({}, { RoleArn: roleArn('by-role') })).toBe('AccessDenied 403');
  });

  it.each([
    ['session tags', 'https://aws.amazon.com/tags', { principal_tags: { team: ['red'] } }],
    ['flattened session tags', 'https://aws.amazon.com/tags/principal_tags/team', 'red'],
    ['a source identity', 'https://aws.amazon.com/source_identity', 'someone'],
  ])('%s that the trust policy does not allow is AccessDenied', async (_, name, value) => {
    expect(await refused({ [name]: value })).toBe('AccessDenied 403');
  });

  it.each([
    ['session tags', 'https://aws.amazon.com/tags', { principal_tags: ['team'] }],
    ['flattened session tags', 'https://aws.amazon.com/tags/principal_tags/team', ['red', 'blue']],
    ['a source identity', 'https://aws.amazon.com/source_identity', 'some one'],
  ])('malformed %s is InvalidIdentityToken', async (_, name, value) => {
    expect(await refused({ [name]: value })).toBe('InvalidIdentityToken 400');
  });

  it('an access token instead, for which ProviderId asks, is InvalidIdentityToken', async () => {
    expect(await refused({}, { ProviderId: 'www.amazon.com' })).toBe('InvalidIdentityToken 400');
  });

  it.each([
    [{ RoleSessionName: 'a b' }, 'ValidationError 400'],
    [{ RoleSessionName: 'x' }, 'ValidationError 400'],
    [{ RoleArn: 'arn:minio:iam:us-east-1::role/nOybJqMNzNmroqEKq5D0EUsRZw0' }, 'AccessDenied 403'],
    [{ RoleArn: 'not an ARN of any kind' }, 'ValidationError 400'],
    [{ DurationSeconds: 899 }, 'ValidationError 400'],
    [{ DurationSeconds: 3601 }, 'ValidationError 400'],
    [{ ProviderId: 'abc' }, 'ValidationError 400'],
    [{ Policy: '{' }, 'MalformedPolicyDocument 400'],
    [
      { Policy: everythingPolicy.replace('"Effect"', '"Principal":{"AWS":"123456789012"},"Effect"') },
      'MalformedPolicyDocument 400',
    ],
    [{ PolicyArns: [{ arn: `arn:aws:iam::${account}:policy/Missing` }] }, 'ValidationError 400'],
  ])('its parameters %j is %s', async (input, expected) => {
    expect(await refused({}, input)).toBe(expected);
  });
});

it('quotes no token in an answer or in the log', async () => {
  const token = await idp.mint({ aud: 'other' });
  const long = `${token}${'A'.repeat(20_000)}`;
  for (const text of [token, long]) {
    const response = await fetch(sidecar.url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        Action: 'AssumeRoleWithWebIdentity',
        Version: '2011-06-15',
        RoleArn: roleArn('pod'),
        RoleSessionName: 'app',
        WebIdentityToken: text,
      }),
    });
    expect(response.status).toBe(400);
    const body = await response.text();
    expect(body).toContain(text === token ? 'InvalidIdentityToken' : 'ValidationError');
    expect(body).not.toContain(token.slice(0, 40));
  }
  const parts = token.split('.');
  for (const part of parts) expect(sidecar.logged.join('\n')).not.toContain(part);
});

it('is IDPCommunicationError while the identity provider never answered', async () => {
  const gone = await startIdentityProvider({ clock });
  const token = await gone.mint();
  // Before the sidecar starts, which asks for the keys at once.
  await gone.stop();
  const alone = await startSidecar({ clock, directory: webIdentityDirectory({ issuer: gone.issuer }) });
  try {
    const client = new STSClient({ endpoint: alone.url, region: 'us-east-1', maxAttempts: 1 });
    const command = new AssumeRoleWithWebIdentityCommand({
      RoleArn: roleArn('pod'),
      RoleSessionName: 'app',
      WebIdentityToken: token,
    });
    expect(await outcome(client.send(command))).toMatch(/^IDPCommunicationError(Exception)? 400$/);
  } finally {
    await alone.stop();
  }
});

it('counts requests by provider, action and outcome, and tells when keys were fetched', async () => {
  const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
  expect(metrics).toMatch(
    /sts_sidecar_credentials_issued_total\{action="AssumeRoleWithWebIdentity",provider="test"\} \d+/,
  );
  expect(metrics).toMatch(
    /sts_sidecar_idp_requests_total\{provider="test",operation="jwks",outcome="success"\} \d+/,
  );
  expect(metrics).toMatch(
    /sts_sidecar_idp_request_duration_seconds_count\{provider="test",operation="discovery"\} \d+/,
  );
  expect(metrics).toMatch(/sts_sidecar_jwks_last_refresh_timestamp_seconds\{provider="test"\} \d{10}/);
  expect(metrics).not.toContain('subject-1');
  expect(providerArn(idp.issuer)).toContain('127.0.0.1');
});
