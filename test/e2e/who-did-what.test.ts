import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  type AssumeRoleWithWebIdentityCommandOutput,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetScopedCredentialsCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { assume, outcome, stsClient } from '../support/sdk.ts';
import { account, alice, roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { webIdentityDirectory } from '../support/web-identity.ts';

const clock = new TestClock();
let idp: TestIdentityProvider;
let sidecar: TestSidecar;

const users = `
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { Sts: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: ["sts:GetFederationToken", "sts:SetSourceIdentity"], Resource: "*" }] } }
`;

beforeAll(async () => {
  idp = await startIdentityProvider({ clock });
  sidecar = await startSidecar({ clock, directory: webIdentityDirectory({ issuer: idp.issuer }) + users });
});
afterAll(async () => {
  await sidecar.stop();
  await idp.stop();
});

type Line = Readonly<Record<string, unknown>>;
const parsed = (): Line[] => sidecar.logged.map((text): Line => JSON.parse(text) as Line);

/** The log line of what `act` does, which sends one request. */
async function lineOf(act: () => Promise<unknown>): Promise<Line> {
  const before = sidecar.logged.length;
  await act();
  await expect.poll(() => sidecar.logged.length).toBe(before + 1);
  return parsed()[before] ?? {};
}

type Input = Partial<AssumeRoleWithWebIdentityCommandInput>;

function present(token: string, input: Input = {}): Promise<AssumeRoleWithWebIdentityCommandOutput> {
  const client = new STSClient({ endpoint: sidecar.url, region: 'us-east-1', maxAttempts: 1 });
  const parameters = { RoleArn: roleArn('pod'), RoleSessionName: 'app', WebIdentityToken: token, ...input };
  return client.send(new AssumeRoleWithWebIdentityCommand(parameters));
}

describe('the log line of a web identity', () => {
  it('says who became what, until when', async () => {
    let issued: AssumeRoleWithWebIdentityCommandOutput | undefined;
    const line = await lineOf(async () => {
      issued = await present(await idp.mint());
    });
    expect(line).toMatchObject({
      status: 200,
      role_arn: roleArn('pod'),
      session_name: 'app',
      subject: 'subject-1',
      audience: 'sts-sidecar',
      identity_provider: 'test',
      issued_access_key_id: issued?.Credentials?.AccessKeyId,
      expiration: issued?.Credentials?.Expiration?.toISOString().replace('.000Z', 'Z'),
    });
    expect(line).not.toHaveProperty('source_identity');
  });

  it.each([
    ['the trust policy denies', 'pod', { sub: 'subject-2' }],
    ['there is no such role', 'missing', { sub: 'subject-2' }],
  ])('says who asked for what when %s', async (_, role, claims) => {
    const token = await idp.mint(claims);
    const line = await lineOf(() => outcome(present(token, { RoleArn: roleArn(role) })));
    expect(line).toMatchObject({
      error_code: 'AccessDenied',
      role_arn: roleArn(role),
      session_name: 'app',
      subject: 'subject-2',
      audience: 'sts-sidecar',
      identity_provider: 'test',
    });
    expect(line).not.toHaveProperty('issued_access_key_id');
    expect(line).not.toHaveProperty('expiration');
  });

  it('has the source identity of a verified token', async () => {
    const token = await idp.mint({ 'https://aws.amazon.com/source_identity': 'someone' });
    const line = await lineOf(() => outcome(present(token)));
    expect(line).toMatchObject({ error_code: 'AccessDenied', source_identity: 'someone' });
  });

  it('has no parameter that breaks its constraint', async () => {
    const token = await idp.mint();
    const input = { RoleArn: token.slice(0, 200), RoleSessionName: token };
    const line = await lineOf(() => outcome(present(token, input)));
    expect(line).toMatchObject({ error_code: 'ValidationError' });
    expect(line).not.toHaveProperty('role_arn');
    expect(line).not.toHaveProperty('session_name');
  });
});

describe('the log line of a signed call', () => {
  const sts = (): STSClient => stsClient(sidecar.url, alice, clock);

  it('says which role was asked for, and denied', async () => {
    const line = await lineOf(() =>
      outcome(
        sts().send(
          new AssumeRoleCommand({
            RoleArn: roleArn('by-role'),
            RoleSessionName: 'me',
            SourceIdentity: 'alice-herself',
          }),
        ),
      ),
    );
    expect(line).toMatchObject({
      error_code: 'AccessDenied',
      principal_arn: `arn:aws:iam::${account}:user/alice`,
      role_arn: roleArn('by-role'),
      session_name: 'me',
      source_identity: 'alice-herself',
    });
  });

  it('says so of a call that is not signed by who it says', async () => {
    const stranger = { ...alice, secretAccessKey: 'another-secret' };
    const line = await lineOf(() => outcome(assume(sidecar.url, stranger, 'pod', {}, clock)));
    expect(line).toMatchObject({
      error_code: 'SignatureDoesNotMatch',
      role_arn: roleArn('pod'),
      session_name: 'test',
    });
  });

  it('names the subject that a chain and its narrower sessions began with', async () => {
    const { Credentials } = await present(await idp.mint());
    const keys = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
    const pod = stsClient(sidecar.url, keys, clock);
    const who = { subject: 'subject-1', audience: 'sts-sidecar' };
    const identity = await lineOf(() => pod.send(new GetCallerIdentityCommand({})));
    expect(identity).toMatchObject(who);
    const chained = new AssumeRoleCommand({ RoleArn: roleArn('by-role'), RoleSessionName: 'next' });
    expect(await lineOf(() => outcome(pod.send(chained)))).toMatchObject({
      ...who,
      role_arn: roleArn('by-role'),
      session_name: 'next',
    });
    const scoped = await lineOf(() => pod.send(new GetScopedCredentialsCommand({ DurationSeconds: 60 })));
    expect(scoped).toMatchObject({
      ...who,
      role_arn: roleArn('pod'),
      session_name: 'app',
      issued_access_key_id: expect.stringMatching(/^ASIA/),
      expiration: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    const refused = await lineOf(() =>
      outcome(pod.send(new GetScopedCredentialsCommand({ DurationSeconds: 50_000 }))),
    );
    expect(refused).toMatchObject({
      ...who,
      error_code: 'InsufficientSessionLifetime',
      role_arn: roleArn('pod'),
    });
  });

  it('names a federated user', async () => {
    const Policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}';
    const line = await lineOf(() => sts().send(new GetFederationTokenCommand({ Name: 'carol', Policy })));
    expect(line).toMatchObject({ session_name: 'carol', issued_access_key_id: expect.any(String) });
  });
});
