import { PutObjectCommand } from '@aws-sdk/client-s3';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { assume, outcome, type SdkCredentials, s3Client } from '../support/sdk.ts';
import { account, roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { providerArn } from '../support/web-identity.ts';

const clock = new TestClock();
let idp: TestIdentityProvider;
let sidecar: TestSidecar;

const tags = 'https://aws.amazon.com/tags';
const sourceIdentity = 'https://aws.amazon.com/source_identity';

beforeAll(async () => {
  idp = await startIdentityProvider({ clock });
  const trust = (name: string, actions: string, condition = ''): string =>
    `    - name: ${name}
      policies: [ByTag]
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { Federated: "${providerArn(idp.issuer)}" }, Action: [${actions}]${condition} }] }\n`;
  const all = '"sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"';
  sidecar = await startSidecar({
    clock,
    directory: `
directory:
  policies:
    ByTag:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Action: "s3:PutObject", Resource: "arn:aws:s3:::data/\${aws:PrincipalTag/team}/*" }
        - { Effect: Allow, Action: "s3:PutObject", Resource: "arn:aws:s3:::data/source/*", Condition: { StringEquals: { "aws:SourceIdentity": alice } } }
        - { Effect: Allow, Action: ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"], Resource: "*" }
  identityProviders: [{ kind: oidc, name: test, issuer: "${idp.issuer}", clientIds: [sts-sidecar] }]
  roles:
${trust('tagged', all)}
${trust('only-assume', '"sts:AssumeRoleWithWebIdentity"')}
${trust('no-source', '"sts:AssumeRoleWithWebIdentity", "sts:TagSession"')}
${trust('only-blue', all, ', Condition: { StringEquals: { "aws:RequestTag/team": blue } }')}
    - name: next
      policies: [ByTag]
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::${account}:root" }, Action: ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"] }] }
`,
  });
});
afterAll(async () => {
  await sidecar.stop();
  await idp.stop();
});

type Claims = Readonly<Record<string, unknown>>;
const team = (value: string, isTransitive = false): Claims => ({
  [tags]: { principal_tags: { team: [value] }, ...(isTransitive ? { transitive_tag_keys: ['team'] } : {}) },
});

async function ask(role: string, claims: Claims) {
  const client = new STSClient({ endpoint: sidecar.url, region: 'us-east-1', maxAttempts: 1 });
  return client.send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: roleArn(role),
      RoleSessionName: 'app',
      WebIdentityToken: await idp.mint(claims),
    }),
  );
}

async function credentials(role: string, claims: Claims): Promise<Required<SdkCredentials>> {
  const { Credentials } = await ask(role, claims);
  return {
    accessKeyId: Credentials?.AccessKeyId ?? '',
    secretAccessKey: Credentials?.SecretAccessKey ?? '',
    sessionToken: Credentials?.SessionToken ?? '',
  };
}

/** `NoSuchBucket` is the store's answer: the request was allowed. */
const put = (keys: SdkCredentials, Key: string): Promise<string> =>
  outcome(
    s3Client(sidecar.url, keys, { clock }).send(new PutObjectCommand({ Bucket: 'data', Key, Body: 'x' })),
  );
const allowed = 'NoSuchBucket 404';
const refused = 'AccessDenied 403';

describe('session tags of a token', () => {
  it.each<[string, Claims]>([
    ['nested', team('blue')],
    ['flattened', { [`${tags}/principal_tags/team`]: 'blue' }],
  ])('are tags of the session: %s', async (_, claims) => {
    const keys = await credentials('tagged', claims);
    expect(await put(keys, 'blue/x')).toBe(allowed);
    expect(await put(keys, 'red/x')).toBe(refused);
  });

  it('need sts:TagSession in the trust policy', async () => {
    expect(await outcome(ask('only-assume', team('blue')))).toBe(refused);
    expect(await outcome(ask('only-assume', {}))).toBe('allowed');
  });

  it('can be told apart by the trust policy', async () => {
    expect(await outcome(ask('only-blue', team('blue')))).toBe('allowed');
    expect(await outcome(ask('only-blue', team('red')))).toBe(refused);
    expect(await outcome(ask('only-blue', {}))).toBe(refused);
  });

  it('go along a chain when they are transitive, and only then', async () => {
    const transitive = await assume(
      sidecar.url,
      await credentials('tagged', team('blue', true)),
      'next',
      {},
      clock,
    );
    expect(await put(transitive, 'blue/x')).toBe(allowed);
    const plain = await assume(sidecar.url, await credentials('tagged', team('blue')), 'next', {}, clock);
    expect(await put(plain, 'blue/x')).toBe(refused);
  });

  it('that look like a wildcard or a variable are taken literally', async () => {
    for (const value of ['.', '..', 'blue/..']) {
      const keys = await credentials('tagged', team(value));
      expect(await put(keys, 'red/x')).toBe(refused);
    }
    expect(await outcome(ask('tagged', team('*')))).toMatch(/^InvalidIdentityToken/);
    expect(await outcome(ask('tagged', team(`\${aws:username}`)))).toMatch(/^InvalidIdentityToken/);
  });

  it('fill the session', async () => {
    expect((await ask('tagged', team('blue'))).PackedPolicySize).toBeGreaterThan(0);
    expect((await ask('tagged', {})).PackedPolicySize).toBeUndefined();
  });
});

describe('the source identity of a token', () => {
  it('is that of the session and of the chain', async () => {
    const answer = await ask('tagged', { [sourceIdentity]: 'alice' });
    expect(answer.SourceIdentity).toBe('alice');
    const keys = await credentials('tagged', { [sourceIdentity]: 'alice' });
    expect(await put(keys, 'source/x')).toBe(allowed);
    expect(await put(await assume(sidecar.url, keys, 'next', {}, clock), 'source/x')).toBe(allowed);
    const bob = assume(sidecar.url, keys, 'next', { SourceIdentity: 'bob' }, clock);
    expect(await outcome(bob)).toBe(refused);
  });

  it('needs sts:SetSourceIdentity in the trust policy', async () => {
    const claims = { ...team('blue'), [sourceIdentity]: 'alice' };
    expect(await outcome(ask('no-source', claims))).toBe(refused);
    expect(await outcome(ask('no-source', team('blue')))).toBe('allowed');
  });
});
