import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  AssumeRoleCommand,
  AssumeRoleWithSAMLCommand,
  type AssumeRoleWithSAMLCommandInput,
  type AssumeRoleWithSAMLCommandOutput,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samlNameQualifier } from '../../src/identity/saml/saml-provider.ts';
import { samlDirectory, samlProviderArn, samlRole } from '../support/saml-directory.ts';
import { type AssertionFacts, createSamlIdp, toBase64, writeResponse } from '../support/saml-idp.ts';
import { outcome, type SdkCredentials, s3Client, stsClient } from '../support/sdk.ts';
import { account, roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';

const clock = new TestClock();
const now = (): number => clock.now();
const roleNames = [
  'analyst',
  'plain',
  'members',
  'team-blue',
  'hourly',
  'others',
  'everyone',
  'account',
  'by-token',
  'long',
  'missing',
];
const roles = [...roleNames.map((name) => samlRole(name)), samlRole('others', 'other')];
const idp = createSamlIdp({ roles, now });
const other = createSamlIdp({ entityId: 'https://other.example.com', roles, now });
let sidecar: TestSidecar;

beforeAll(async () => {
  const files = { 'company.xml': idp.metadata, 'other.xml': other.metadata };
  sidecar = await startSidecar({ clock, directory: samlDirectory(), files });
  await s3Client(sidecar.url, await credentials(), { clock }).send(
    new CreateBucketCommand({ Bucket: 'data' }),
  );
});
afterAll(() => sidecar.stop());

type Input = Partial<AssumeRoleWithSAMLCommandInput>;
type Attributes = AssertionFacts['attributes'];

function assume(input: Input = {}): Promise<AssumeRoleWithSAMLCommandOutput> {
  const client = new STSClient({ endpoint: sidecar.url, region: 'us-east-1', maxAttempts: 1 });
  return client.send(
    new AssumeRoleWithSAMLCommand({
      RoleArn: roleArn('analyst'),
      PrincipalArn: samlProviderArn('company'),
      SAMLAssertion: idp.respond(),
      ...input,
    }),
  );
}

async function credentials(input: Input = {}): Promise<Required<SdkCredentials>> {
  const { Credentials } = await assume(input);
  return {
    accessKeyId: Credentials?.AccessKeyId ?? '',
    secretAccessKey: Credentials?.SecretAccessKey ?? '',
    sessionToken: Credentials?.SessionToken ?? '',
  };
}

const refusal = async (input: Input): Promise<string> =>
  (await outcome(assume(input))).replace(/Exception /, ' ');
const withAttributes = (attributes: Attributes, role = 'analyst'): Input => ({
  RoleArn: roleArn(role),
  SAMLAssertion: idp.respond({ attributes }),
});
const put = (keys: SdkCredentials, Key: string): Promise<string> =>
  outcome(
    s3Client(sidecar.url, keys, { clock }).send(new PutObjectCommand({ Bucket: 'data', Key, Body: 'x' })),
  );

describe('an unmodified SDK with a SAML assertion', () => {
  it('is told who it is', async () => {
    const result = await assume({
      SAMLAssertion: idp.respond({ attributes: { SourceIdentity: ['ada@work'] } }),
    });
    expect(result).toMatchObject({
      AssumedRoleUser: { Arn: `arn:aws:sts::${account}:assumed-role/analyst/ada` },
      Subject: 'ada@example.com',
      SubjectType: 'persistent',
      Issuer: idp.entityId,
      Audience: 'https://signin.aws.amazon.com/saml',
      NameQualifier: samlNameQualifier(idp.entityId, account, 'company'),
      SourceIdentity: 'ada@work',
    });
    expect(result.AssumedRoleUser?.AssumedRoleId).toMatch(/^AROA.*:ada$/);
    expect(result.PackedPolicySize).toBeUndefined();
    expect(Math.round((result.Credentials?.Expiration?.getTime() ?? 0) / 1000 - now() / 1000)).toBeCloseTo(
      3600,
      -1,
    );
  });

  it('has the condition keys of its subject for as long as it lasts', async () => {
    const keys = await credentials();
    const identity = await stsClient(sidecar.url, keys, clock).send(new GetCallerIdentityCommand({}));
    expect(identity.Arn).toBe(`arn:aws:sts::${account}:assumed-role/analyst/ada`);
    expect(await put(keys, 'ada@example.com/x')).toBe('allowed');
    expect(await put(keys, `${samlNameQualifier(idp.entityId, account, 'company')}/x`)).toBe('allowed');
    expect(await put(keys, 'eve@example.com/x')).toBe('AccessDenied 403');
    expect(await put(keys, 'team/blue/x')).toBe('AccessDenied 403');
    expect(await put(keys, 'source/ada/x')).toBe('AccessDenied 403');
    // The recipient is a fact of the assertion, not of the session.
    expect(await put(keys, 'audience/x')).toBe('AccessDenied 403');
    const transient = await credentials({
      SAMLAssertion: idp.respond({ format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' }),
    });
    expect(await put(transient, 'ada@example.com/x')).toBe('AccessDenied 403');
  });

  it('carries tags and a source identity into the session and along a chain', async () => {
    const tagged = {
      'PrincipalTag:team': ['blue'],
      'PrincipalTag:x': ['y'],
      TransitiveTagKeys: ['team'],
      SourceIdentity: ['ada'],
    };
    const keys = await credentials(withAttributes(tagged));
    expect(await put(keys, 'team/blue/x')).toBe('allowed');
    expect(await put(keys, 'team/red/x')).toBe('AccessDenied 403');
    expect(await put(keys, 'source/ada/x')).toBe('allowed');
    const next = new AssumeRoleCommand({ RoleArn: roleArn('next'), RoleSessionName: 'next' });
    const without = await credentials(withAttributes({ ...tagged, SourceIdentity: undefined }));
    const { Credentials } = await stsClient(sidecar.url, without, clock).send(next);
    const nextKeys = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
    expect(await put(nextKeys, 'team/blue/x')).toBe('allowed');
    expect(await put(nextKeys, 'ada@example.com/x')).toBe('AccessDenied 403');
    expect((await assume(withAttributes(tagged))).PackedPolicySize).toBeGreaterThan(0);
  });

  it('may narrow its session', async () => {
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::data/ada@example.com/only' },
      ],
    });
    const keys = await credentials({ Policy });
    expect(await put(keys, 'ada@example.com/only')).toBe('allowed');
    expect(await put(keys, 'ada@example.com/x')).toBe('AccessDenied 403');
  });

  it('may leave the account out of the role, and come in the query', async () => {
    expect((await assume({ RoleArn: 'arn:aws:iam:::role/analyst' })).Subject).toBe('ada@example.com');
    const query = new URLSearchParams({
      Action: 'AssumeRoleWithSAML',
      Version: '2011-06-15',
      RoleArn: roleArn('analyst'),
      PrincipalArn: samlProviderArn('company'),
      SAMLAssertion: idp.respond(),
    });
    const answer = await fetch(`${sidecar.url}/?${query}`);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<AssumeRoleWithSAMLResponse xmlns="https:\/\/sts.amazonaws.com\/doc\/2011-06-15\/"><AssumeRoleWithSAMLResult><Credentials>.*<\/Credentials><AssumedRoleUser>.*<\/AssumedRoleUser><Subject>ada@example.com<\/Subject><SubjectType>persistent<\/SubjectType>/,
    );
  });

  it('has the condition keys of its attributes', async () => {
    const affiliation = 'urn:oid:1.3.6.1.4.1.5923.1.1.1.1';
    expect(await refusal(withAttributes({ [affiliation]: ['member', 'staff'] }, 'members'))).toBe('allowed');
    expect(await refusal(withAttributes({ [affiliation]: ['staff'] }, 'members'))).toBe('AccessDenied 403');
    expect(await refusal(withAttributes({}, 'members'))).toBe('AccessDenied 403');
  });
});

describe('the length of a session', () => {
  const lasts = async (
    facts: Partial<AssertionFacts>,
    DurationSeconds?: number,
    role = 'long',
  ): Promise<number> => {
    const { Credentials } = await assume({
      RoleArn: roleArn(role),
      DurationSeconds,
      SAMLAssertion: idp.respond(facts),
    });
    return Math.round(((Credentials?.Expiration?.getTime() ?? 0) - now()) / 1000);
  };

  it('is an hour, or what is asked for, and never longer than the assertion says', async () => {
    expect(await lasts({})).toBeCloseTo(3600, -1);
    expect(await lasts({}, 7200)).toBeCloseTo(7200, -1);
    expect(await lasts({ attributes: { SessionDuration: ['1800'] } })).toBeCloseTo(1800, -1);
    expect(await lasts({ attributes: { SessionDuration: ['1800'] } }, 7200)).toBeCloseTo(1800, -1);
    expect(await lasts({ attributes: { SessionDuration: ['7200'] } }, 900)).toBeCloseTo(900, -1);
    expect(await lasts({ attributes: { SessionDuration: ['43200'] } })).toBeCloseTo(3600, -1);
    expect(await lasts({ sessionUntilMs: now() + 600_000 }, 7200)).toBeCloseTo(600, -1);
    expect(
      await lasts({ sessionUntilMs: now() + 60_000, attributes: { SessionDuration: ['900'] } }),
    ).toBeCloseTo(60, -1);
  });

  it('is judged by the role as asked for, and by conditions as granted', async () => {
    expect(await refusal({ RoleArn: roleArn('long'), DurationSeconds: 7201 })).toBe('ValidationError 400');
    const short = { attributes: { SessionDuration: ['900'] } };
    expect(
      await refusal({ RoleArn: roleArn('plain'), DurationSeconds: 3601, SAMLAssertion: idp.respond(short) }),
    ).toBe('ValidationError 400');
    expect(await refusal({ RoleArn: roleArn('hourly') })).toBe('allowed');
    expect(await refusal({ RoleArn: roleArn('hourly'), DurationSeconds: 3601 })).toBe('AccessDenied 403');
  });
});

describe('a role is refused', () => {
  it.each<[string, () => Input]>([
    ['that the assertion does not offer', () => withAttributes({ Role: [samlRole('plain')] })],
    ['that it offers for another provider', () => withAttributes({ Role: [samlRole('analyst', 'other')] })],
    ['that it offers without a provider', () => withAttributes({ Role: [roleArn('analyst')] })],
    ['in a different letter case', () => withAttributes({ Role: [samlRole('Analyst')] })],
    ['when it offers none', () => withAttributes({ Role: undefined })],
    ['that does not exist', () => ({ RoleArn: roleArn('missing') })],
    ['that trusts another provider', () => ({ RoleArn: roleArn('others') })],
    ['that trusts everyone', () => ({ RoleArn: roleArn('everyone') })],
    ['that trusts the account', () => ({ RoleArn: roleArn('account') })],
    ['that trusts the provider’s tokens only', () => ({ RoleArn: roleArn('by-token') })],
    ['that may not be tagged', () => withAttributes({ 'PrincipalTag:team': ['blue'] }, 'plain')],
    ['that may not have a source identity', () => withAttributes({ SourceIdentity: ['ada'] }, 'plain')],
    ['that wants another tag', () => withAttributes({ 'PrincipalTag:team': ['red'] }, 'team-blue')],
    [
      'to an assertion that another provider may use',
      () => ({
        RoleArn: roleArn('others'),
        PrincipalArn: samlProviderArn('other'),
        SAMLAssertion: other.respond({ attributes: { Role: [samlRole('others')] } }),
      }),
    ],
  ])('%s', async (_, input) => {
    await expect(assume(input())).rejects.toMatchObject({
      name: 'AccessDenied',
      message: 'Not authorized to perform sts:AssumeRoleWithSAML',
      $metadata: { httpStatusCode: 403 },
    });
  });

  it('unless it is offered and trusted', async () => {
    expect(await refusal(withAttributes({}, 'plain'))).toBe('allowed');
    expect(await refusal(withAttributes({ 'PrincipalTag:team': ['blue'] }, 'team-blue'))).toBe('allowed');
    const input = {
      RoleArn: roleArn('others'),
      PrincipalArn: samlProviderArn('other'),
      SAMLAssertion: other.respond(),
    };
    expect(await refusal(input)).toBe('allowed');
  });
});

describe('a request is refused', () => {
  it.each<[string, () => Input, string]>([
    [
      'with an assertion of another provider',
      () => ({ SAMLAssertion: other.respond() }),
      'InvalidIdentityToken 400',
    ],
    [
      'with another provider than the assertion’s',
      () => ({ PrincipalArn: samlProviderArn('other') }),
      'InvalidIdentityToken 400',
    ],
    [
      'with another provider’s key',
      () => ({ SAMLAssertion: idp.respond({}, { key: other.privateKey }) }),
      'InvalidIdentityToken 400',
    ],
    [
      'with a provider that does not exist',
      () => ({ PrincipalArn: samlProviderArn('nobody') }),
      'InvalidIdentityToken 400',
    ],
    [
      'without a signature',
      () => ({ SAMLAssertion: toBase64(writeResponse(idp.assertion(), idp.entityId, now())) }),
      'InvalidIdentityToken 400',
    ],
    [
      'with a wrong recipient',
      () => ({ SAMLAssertion: idp.respond({ recipient: 'https://other.example.com' }) }),
      'InvalidIdentityToken 400',
    ],
    [
      'with a wrong audience',
      () => ({ SAMLAssertion: idp.respond({ audience: 'urn:other' }) }),
      'InvalidIdentityToken 400',
    ],
    [
      'with an invalid session name',
      () => withAttributes({ RoleSessionName: ['a/b'] }),
      'InvalidIdentityToken 400',
    ],
    [
      'before its time',
      () => ({ SAMLAssertion: idp.respond({ notBeforeMs: now() + 120_000 }) }),
      'InvalidIdentityToken 400',
    ],
    [
      'when it is over',
      () => ({ SAMLAssertion: idp.respond({ notOnOrAfterMs: now() - 1 }) }),
      'ExpiredToken 400',
    ],
    [
      'after five minutes',
      () => ({
        SAMLAssertion: idp.respond({
          issuedAtMs: now() - 301_000,
          confirmedUntilMs: now() + 60_000,
          notOnOrAfterMs: now() + 60_000,
        }),
      }),
      'ExpiredToken 400',
    ],
    ['without valid base64', () => ({ SAMLAssertion: '<saml>' }), 'InvalidIdentityToken 400'],
    ['with too little', () => ({ SAMLAssertion: 'AAA' }), 'ValidationError 400'],
    ['with too much', () => ({ SAMLAssertion: 'A'.repeat(100_001) }), 'ValidationError 400'],
    ['without an assertion', () => ({ SAMLAssertion: undefined }), 'ValidationError 400'],
    [
      'with a role that is not an ARN',
      () => ({ RoleArn: 'arn:aws:s3:::analyst-of-everything' }),
      'ValidationError 400',
    ],
    [
      'with a provider that is not an ARN',
      () => ({ PrincipalArn: 'saml-provider/company-of-ours' }),
      'ValidationError 400',
    ],
    [
      'with a provider of tokens',
      () => ({ PrincipalArn: `arn:aws:iam::${account}:oidc-provider/company` }),
      'ValidationError 400',
    ],
    ['with an invalid session policy', () => ({ Policy: '{}' }), 'MalformedPolicyDocument 400'],
    [
      'with a managed session policy that does not exist',
      () => ({ PolicyArns: [{ arn: `arn:aws:iam::${account}:policy/Missing` }] }),
      'ValidationError 400',
    ],
  ])('%s', async (_, input, expected) => {
    expect(await refusal(input())).toBe(expected);
  });

  it('the second time', async () => {
    const SAMLAssertion = idp.respond();
    expect(await refusal({ SAMLAssertion })).toBe('allowed');
    expect(await refusal({ SAMLAssertion })).toBe('InvalidIdentityToken 400');
    expect(await refusal({ SAMLAssertion, RoleArn: roleArn('plain') })).toBe('InvalidIdentityToken 400');
  });

  it('without a word of the assertion in messages, metrics or log', async () => {
    const SAMLAssertion = idp.respond({ nameId: 'secret-name', audience: 'urn:secret-audience' });
    const error = await assume({ SAMLAssertion }).catch((caught: unknown) => caught);
    expect(String(error)).toContain('Response does not contain the required audience');
    const short = await assume({ SAMLAssertion: 'xyz' }).catch((caught: unknown) => caught);
    expect(String(short)).not.toContain('xyz');
    const metrics = await (await fetch(`${sidecar.adminUrl}/metrics`)).text();
    const counted = /sts_requests_total\{[^}]*action="AssumeRoleWithSAML"[^}]*provider="company"/;
    expect(metrics).toMatch(counted);
    for (const text of [...sidecar.logged, metrics, String(error)]) {
      expect(text).not.toContain('secret-');
      expect(text).not.toContain(SAMLAssertion.slice(0, 40));
    }
  });
});
