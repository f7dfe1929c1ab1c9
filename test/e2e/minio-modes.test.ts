import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  type AssumeRoleWithWebIdentityCommandOutput,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { fromWebToken } from '@aws-sdk/credential-providers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { outcome, type SdkCredentials, s3Client, scopeToReading, stsClient } from '../support/sdk.ts';
import { account, alice, roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { providerArn } from '../support/web-identity.ts';

const clock = new TestClock();
const tokenKey = Buffer.alloc(32, 5).toString('base64');
const generatedId = 'nOybJqMNzNmroqEKq5D0EUsRZw0';
const generatedArn = `arn:minio:iam:us-east-1::role/${generatedId}`;
const foreignArn = 'arn:aws:iam::999999999999:role/anything';
let idp: TestIdentityProvider;
let sidecar: TestSidecar;

const policy = (name: string, actions: string, resource = 'data/*'): string =>
  `    ${name}: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: [${actions}], Resource: "arn:aws:s3:::${resource}" }] }\n`;

const putPolicy = policy('Put', '"s3:PutObject"');
const otherPolicies =
  policy('Get', '"s3:GetObject"') +
  policy('Make', '"s3:CreateBucket"', 'data') +
  policy('Assume', '"sts:AssumeRole"').replace('"arn:aws:s3:::data/*"', '"*"');

const providers = (issuer: string): Record<'roles' | 'claims' | 'iam', string> => ({
  roles: `    - { kind: oidc, name: roles, issuer: "${issuer}", clientIds: [minio-client-app], rolePolicies: [Make, Put, Assume] }\n`,
  claims: `    - { kind: oidc, name: claims, issuer: "${issuer}", clientIds: [claims-app], claimName: policy, claimPrefix: "https://example.com/" }\n`,
  iam: `    - { kind: oidc, name: iam, issuer: "${issuer}", clientIds: [sts-sidecar] }\n`,
});

const directory = (issuer: string, policies: string, oneOf: string): string => `
directory:
  policies:
${policies}
  users:
    - { name: alice, accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }], policies: [Assume] }
  roles:
    - name: pod
      policies: [Get]
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { Federated: "${providerArn(issuer)}" }, Action: "sts:AssumeRoleWithWebIdentity", Condition: { StringEquals: { "${issuer.replace('http://', '')}:aud": sts-sidecar } } }] }
    - name: open
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::${account}:root" }, Action: "sts:AssumeRole" }] }
  identityProviders:
${oneOf}
`;

beforeAll(async () => {
  idp = await startIdentityProvider({ clock });
  const { roles, claims, iam } = providers(idp.issuer);
  sidecar = await startSidecar({
    clock,
    tokenKey,
    directory: directory(idp.issuer, putPolicy + otherPolicies, roles + claims + iam),
  });
  const keys = await credentials({ token: await ofRoles(), RoleArn: generatedArn });
  await s3Client(sidecar.url, keys, { clock }).send(new CreateBucketCommand({ Bucket: 'data' }));
});
afterAll(async () => {
  await sidecar.stop();
  await idp.stop();
});

type Claims = Readonly<Record<string, unknown>>;
const claim = 'https://example.com/policy';
const ofRoles = (claims: Claims = {}): Promise<string> => idp.mint({ aud: 'minio-client-app', ...claims });
const ofClaims = (claims: Claims = {}): Promise<string> =>
  idp.mint({ aud: 'claims-app', [claim]: 'Put', ...claims });
const ofIam = (claims: Claims = {}): Promise<string> => idp.mint(claims);

interface Request extends Partial<AssumeRoleWithWebIdentityCommandInput> {
  readonly token: string;
}

/** With the SDK's own required parameters unless they are replaced; `undefined` leaves one out. */
function ask({ token, ...input }: Request): Promise<AssumeRoleWithWebIdentityCommandOutput> {
  const client = new STSClient({ endpoint: sidecar.url, region: 'us-east-1', maxAttempts: 1 });
  return client.send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: foreignArn,
      RoleSessionName: undefined,
      WebIdentityToken: token,
      ...input,
    }),
  );
}

async function credentials(request: Request): Promise<Required<SdkCredentials>> {
  const { Credentials } = await ask(request);
  return {
    accessKeyId: Credentials?.AccessKeyId ?? '',
    secretAccessKey: Credentials?.SecretAccessKey ?? '',
    sessionToken: Credentials?.SessionToken ?? '',
  };
}

const put = (keys: SdkCredentials, url = sidecar.url): Promise<string> =>
  outcome(s3Client(url, keys, { clock }).send(new PutObjectCommand({ Bucket: 'data', Key: 'x', Body: 'x' })));
const get = (keys: SdkCredentials, url = sidecar.url): Promise<string> =>
  outcome(s3Client(url, keys, { clock }).send(new GetObjectCommand({ Bucket: 'data', Key: 'x' })));
const arnOf = async (keys: SdkCredentials): Promise<string | undefined> =>
  (await stsClient(sidecar.url, keys, clock).send(new GetCallerIdentityCommand({}))).Arn;
const lifetimeSeconds = ({ Credentials }: AssumeRoleWithWebIdentityCommandOutput): number =>
  Math.round(((Credentials?.Expiration?.getTime() ?? 0) - clock.now()) / 1000);

describe('a session that narrows itself', () => {
  it('keeps to the policies of the provider or of its claim, and its ARN', async () => {
    const ofProvider = await credentials({ token: await ofRoles(), RoleArn: generatedArn });
    const both = await credentials({ token: await ofClaims({ [claim]: 'Put,Get' }) });
    const writing = await credentials({ token: await ofClaims({ [claim]: 'Put' }) });
    for (const keys of [ofProvider, both, writing]) {
      expect(await put(keys)).toBe('allowed');
      const narrow = await scopeToReading(sidecar.url, keys, clock);
      expect(await put(narrow)).toBe('AccessDenied 403');
      expect(await arnOf(narrow)).toBe(await arnOf(keys));
      expect(await get(narrow)).toBe(await get(keys));
    }
    expect([await get(ofProvider), await get(both), await get(writing)]).toEqual([
      'AccessDenied 403',
      'allowed',
      'AccessDenied 403',
    ]);
  });
});

describe('role policies', () => {
  it('apply to every user of the provider, by its generated role ARN in any region', async () => {
    for (const RoleArn of [generatedArn, `arn:minio:iam:::role/${generatedId}`]) {
      const keys = await credentials({ token: await ofRoles(), RoleArn });
      expect(await put(keys)).toBe('allowed');
      expect(await get(keys)).toBe('AccessDenied 403');
      expect(await arnOf(keys)).toBe(`arn:aws:sts::${account}:assumed-role/${generatedId}/subject-1`);
    }
  });

  it('work with the credential provider of the SDK', async () => {
    const provider = fromWebToken({
      webIdentityToken: await ofRoles(),
      roleArn: generatedArn,
      roleSessionName: 'app',
      clientConfig: { endpoint: sidecar.url, region: 'us-east-1' },
    });
    expect(await put(await provider())).toBe('allowed');
  });

  it('are announced to operators at start-up', () => {
    const told = sidecar.logged.filter((line) => line.includes('generated role')).join('');
    expect(told).toContain(`"role_arn":"${generatedArn}"`);
  });

  it('are not widened by what the token claims', async () => {
    const keys = await credentials({ token: await ofRoles({ [claim]: 'Get' }), RoleArn: generatedArn });
    expect(await get(keys)).toBe('AccessDenied 403');
  });

  it('are narrowed by session policies', async () => {
    const Policy =
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}';
    const keys = await credentials({ token: await ofRoles(), RoleArn: generatedArn, Policy });
    expect(await put(keys)).toBe('AccessDenied 403');
    expect(await get(keys)).toBe('AccessDenied 403');
  });

  it('allow assuming roles that trust the account', async () => {
    const keys = await credentials({ token: await ofRoles(), RoleArn: generatedArn });
    const chained = await stsClient(sidecar.url, keys, clock).send(
      new AssumeRoleCommand({ RoleArn: roleArn('open'), RoleSessionName: 'next' }),
    );
    expect(chained.AssumedRoleUser?.Arn).toBe(`arn:aws:sts::${account}:assumed-role/open/next`);
  });

  it.each<[string, () => Promise<string>]>([
    ['a claim-mode provider', ofClaims],
    ['a provider of trusted roles', ofIam],
  ])('are not for tokens of %s', async (_, mint) => {
    expect(await outcome(ask({ token: await mint(), RoleArn: generatedArn }))).toBe('AccessDenied 403');
  });

  it('are not given for the ARN of a role, for another generated ARN, or for none', async () => {
    const token = await ofRoles();
    for (const RoleArn of [
      roleArn('pod'),
      foreignArn,
      `arn:minio:iam:::role/${generatedId}x`,
      'arn:minio:iam:::role/claims/claims',
      undefined,
    ]) {
      const asked = ask({ token, RoleArn, RoleSessionName: 'session' });
      expect(await outcome(asked)).toBe('AccessDenied 403');
    }
  });

  it('cannot be obtained by assuming the generated role with an access key', async () => {
    for (const RoleArn of [generatedArn, `arn:minio:iam:::role/${generatedId}`, roleArn(generatedId)]) {
      const asked = stsClient(sidecar.url, alice, clock).send(
        new AssumeRoleCommand({ RoleArn, RoleSessionName: 'alice' }),
      );
      expect(await outcome(asked)).toMatch(/^(?:AccessDenied 403|ValidationError 400)$/);
    }
  });

  it('cannot come from a webhook', async () => {
    const answer = await fetch(sidecar.url, {
      method: 'POST',
      body: new URLSearchParams({
        Action: 'AssumeRoleWithCustomToken',
        Version: '2011-06-15',
        Token: await ofRoles(),
        RoleArn: generatedArn,
      }),
    });
    expect([answer.status, await answer.text()]).toEqual([
      403,
      expect.stringContaining('<Code>AccessDenied<'),
    ]);
  });

  it('last as long as the token unless the request says otherwise', async () => {
    const exp = Math.floor(clock.now() / 1000) + 120;
    const token = await ofRoles({ exp });
    expect(Math.abs(lifetimeSeconds(await ask({ token, RoleArn: generatedArn })) - 120)).toBeLessThan(3);
    for (const DurationSeconds of [900, 43_201, 31_536_000]) {
      const answer = await ask({ token, RoleArn: generatedArn, DurationSeconds });
      expect(Math.abs(lifetimeSeconds(answer) - DurationSeconds)).toBeLessThan(3);
    }
    for (const DurationSeconds of [0, 899, 31_536_001]) {
      expect(await outcome(ask({ token, RoleArn: generatedArn, DurationSeconds }))).toBe(
        'ValidationError 400',
      );
    }
  });

  it('are refused to tokens that ask for tags or a source identity, without a trust policy that consents', async () => {
    for (const claims of [
      { 'https://aws.amazon.com/tags': { principal_tags: { team: ['blue'] } } },
      { 'https://aws.amazon.com/source_identity': 'alice' },
    ]) {
      const token = await ofRoles(claims);
      expect(await outcome(ask({ token, RoleArn: generatedArn }))).toBe('AccessDenied 403');
    }
  });
});

describe('policies in a claim', () => {
  it.each<[unknown, string, string]>([
    ['Put', 'allowed', 'AccessDenied 403'],
    [' Put , Get ', 'allowed', 'allowed'],
    [['Get'], 'AccessDenied 403', 'allowed'],
    [['Get', 'Put,Unknown'], 'allowed', 'allowed'],
    ['Unknown,Get,', 'AccessDenied 403', 'allowed'],
  ])('are the ones that exist: %j', async (names, puts, gets) => {
    const keys = await credentials({ token: await ofClaims({ [claim]: names }) });
    expect(await put(keys)).toBe(puts);
    expect(await get(keys)).toBe(gets);
  });

  it.each([
    [undefined],
    [''],
    [','],
    ['Unknown'],
    ['put'],
    ['*'],
    ['arn:aws:iam::123456789012:policy/Put'],
    [[]],
    [['Put', 7]],
    [{ Put: true }],
    [7],
    [null],
  ])('are needed: %j', async (names) => {
    const token = await ofClaims({ [claim]: names, policy: 'Put', claim: 'Put' });
    expect(await outcome(ask({ token }))).toBe('AccessDenied 403');
  });

  it('are given for whatever ARN the SDK sends, and for none', async () => {
    const token = await ofClaims();
    for (const RoleArn of [foreignArn, 'not an ARN, but long enough', roleArn('unknown'), undefined]) {
      expect(await put(await credentials({ token, RoleArn }))).toBe('allowed');
    }
  });

  it('are not given for the ARN of a role or of another provider', async () => {
    const token = await ofClaims();
    for (const RoleArn of [
      roleArn('pod'),
      'arn:aws:iam:::role/pod',
      generatedArn,
      'arn:minio:iam:::role/gone',
    ]) {
      expect(await outcome(ask({ token, RoleArn, RoleSessionName: 'session' }))).toBe('AccessDenied 403');
    }
  });

  it('are not for tokens of other providers', async () => {
    for (const token of [await ofRoles({ [claim]: 'Put' }), await ofIam({ [claim]: 'Put' })]) {
      expect(await outcome(ask({ token }))).toBe('AccessDenied 403');
      expect(await outcome(ask({ token, RoleArn: undefined }))).toBe('AccessDenied 403');
    }
  });

  it('belong to a session of the provider, named after the subject unless the request says otherwise', async () => {
    const arn = (name: string): string => `arn:aws:sts::${account}:assumed-role/claims/${name}`;
    const keys = await credentials({ token: await ofClaims({ sub: `auth0|a/b é ${'x'.repeat(80)}` }) });
    const named = await arnOf(keys);
    expect(named).toMatch(/-[\w-]{10}$/);
    expect((named ?? '').slice(0, -10)).toBe(arn(`auth0-a-b---${'x'.repeat(41)}-`));
    const other = await credentials({ token: await ofClaims({ sub: `auth0|a/b è ${'x'.repeat(80)}` }) });
    expect(await arnOf(other)).not.toBe(named);
    expect(await arnOf(await credentials({ token: await ofClaims(), RoleSessionName: 'mine' }))).toBe(
      arn('mine'),
    );
  });

  it('are looked up again at every request, in the replica that gets it', async () => {
    const keys = await credentials({ token: await ofClaims({ [claim]: 'Put,Get' }) });
    const { claims, iam } = providers(idp.issuer);
    const store = { clock, tokenKey };
    const fewer = await startSidecar({ ...store, directory: directory(idp.issuer, otherPolicies, claims) });
    const none = await startSidecar({
      ...store,
      directory: directory(idp.issuer, otherPolicies.replaceAll('Get:', 'Got:'), claims).replaceAll(
        '[Get]',
        '[Got]',
      ),
    });
    const without = await startSidecar({ ...store, directory: directory(idp.issuer, otherPolicies, iam) });
    expect(await put(keys, fewer.url)).toBe('AccessDenied 403');
    expect(await get(keys, fewer.url)).toBe('NoSuchBucket 404');
    expect(await put(keys, none.url)).toBe('AccessDenied 403');
    expect(await get(keys, none.url)).toBe('AccessDenied 403');
    expect(await put(keys, without.url)).toBe('InvalidToken 400');
    await Promise.all([fewer.stop(), none.stop(), without.stop()]);
  });
});

describe('a token beside an access token', () => {
  it('leaves neither in the log', async () => {
    const token = await ofClaims();
    const form = (changes: Record<string, string>): Promise<Response> =>
      fetch(`${sidecar.url}/?Action=AssumeRoleWithWebIdentity&Version=2011-06-15`, {
        method: 'POST',
        body: new URLSearchParams({
          WebIdentityToken: token,
          WebIdentityAccessToken: 'a-very-secret-token',
          ...changes,
        }),
      });
    expect((await form({})).status).toBe(200);
    expect((await form({ RoleArn: generatedArn })).status).toBe(403);
    const violating = await form({ WebIdentityAccessToken: 'a-very-secret-token with a space' });
    expect(violating.status).toBe(400);
    expect(await violating.text()).not.toContain('a-very-secret-token');
    const logged = sidecar.logged.join('');
    expect(logged).not.toContain('a-very-secret-token');
    expect(logged).not.toContain(token.slice(0, 60));
  });
});

describe('a provider of trusted roles beside them', () => {
  it('works as usual, and needs a role and a session name', async () => {
    const token = await ofIam();
    const asked = { token, RoleArn: roleArn('pod') };
    expect(await outcome(ask({ ...asked, RoleSessionName: 'app' }))).toBe('allowed');
    expect(await outcome(ask(asked))).toBe('ValidationError 400');
    expect(lifetimeSeconds(await ask({ ...asked, RoleSessionName: 'app' }))).toBeGreaterThan(3500);
  });
});
