import { randomBytes } from 'node:crypto';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { providerRoleArn } from '../../src/directory/provider-role.ts';
import { openIdRoleId } from '../../src/identity/oidc/settings.ts';
import { outcome, type SdkCredentials, s3Client, stsClient } from '../support/sdk.ts';
import { account, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { type Keycloak, startKeycloak, type Tokens } from './start-keycloak.ts';

const realm = 'policies';
const clientSecret = randomBytes(20).toString('hex');
const password = randomBytes(20).toString('hex');
const clock = new TestClock();

/** A client whose users' realm roles are policies, said in the id token or by UserInfo only. */
const client = (clientId: string, inIdToken: boolean): Readonly<Record<string, unknown>> => ({
  clientId,
  secret: clientSecret,
  publicClient: false,
  directAccessGrantsEnabled: true,
  protocolMappers: [
    {
      name: 'policies',
      protocol: 'openid-connect',
      protocolMapper: 'oidc-usermodel-realm-role-mapper',
      config: {
        'claim.name': 'storage.policy',
        'jsonType.label': 'String',
        multivalued: 'true',
        'id.token.claim': String(inIdToken),
        'access.token.claim': 'false',
        'userinfo.token.claim': 'true',
      },
    },
  ],
});

const user = (username: string): Readonly<Record<string, unknown>> => ({
  username,
  enabled: true,
  firstName: username,
  lastName: 'Test',
  email: `${username}@example.com`,
  emailVerified: true,
  credentials: [{ type: 'password', value: password, temporary: false }],
});

describe('policies that Keycloak gives', () => {
  let keycloak: Keycloak;
  let byToken: TestSidecar;
  let byUserInfo: TestSidecar;
  let ada: string;

  beforeAll(async () => {
    keycloak = await startKeycloak();
    await keycloak.administer('POST', '', { realm, enabled: true });
    await keycloak.administer('POST', `/${realm}/clients`, client('in-token', true));
    await keycloak.administer('POST', `/${realm}/clients`, client('in-userinfo', false));
    await keycloak.administer('POST', `/${realm}/clients`, client('console', false));
    ada = await keycloak.administer('POST', `/${realm}/users`, user('ada'));
    await keycloak.administer('POST', `/${realm}/users`, user('eve'));
    await keycloak.administer('POST', `/${realm}/roles`, { name: 'WriteData' });
    const role: unknown = JSON.parse(await keycloak.administer('GET', `/${realm}/roles/WriteData`));
    await keycloak.administer('POST', `/${realm}/users/${ada}/role-mappings/realm`, [role]);
    byToken = await startSidecar({ clock, directory: directory('in-token', false) });
    byUserInfo = await startSidecar({ clock, directory: directory('in-userinfo', true) });
  });
  afterAll(async () => {
    await byToken?.stop();
    await byUserInfo?.stop();
    await keycloak?.stop();
  });

  const directory = (clientId: string, userInfo: boolean): string => `
directory:
  policies:
    WriteData: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: ["s3:CreateBucket", "s3:PutObject"], Resource: ["arn:aws:s3:::data", "arn:aws:s3:::data/*"] }] }
    OnlyMake: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:CreateBucket", Resource: "arn:aws:s3:::data" }] }
  identityProviders:
    - { kind: oidc, name: people, issuer: "${keycloak.issuer(realm)}", clientIds: [${clientId}], claimName: policy, claimPrefix: "storage/", userInfo: ${userInfo} }
    - { kind: oidc, name: staff, issuer: "${keycloak.issuer(realm)}", clientIds: [console], rolePolicies: [OnlyMake] }
`;

  const signIn = (username: string, clientId: string): Promise<Tokens> =>
    keycloak.grant(realm, {
      grant_type: 'password',
      scope: 'openid',
      client_id: clientId,
      client_secret: clientSecret,
      username,
      password,
    });

  async function session(
    sidecar: TestSidecar,
    { id_token: token = '' }: Tokens,
    input: Partial<AssumeRoleWithWebIdentityCommandInput> = {},
  ): Promise<Required<SdkCredentials>> {
    const sts = new STSClient({ endpoint: sidecar.url, region: 'us-east-1', maxAttempts: 1 });
    const { Credentials } = await sts.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: undefined,
        RoleSessionName: undefined,
        WebIdentityToken: token,
        ...input,
      }),
    );
    return {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
  }

  /** What the form of MinIO's clients answers: the SDK has no parameter for an access token. */
  async function askWithAccessToken(idToken: string, accessToken: string): Promise<string> {
    const answer = await fetch(byUserInfo.url, {
      method: 'POST',
      body: new URLSearchParams({
        Action: 'AssumeRoleWithWebIdentity',
        Version: '2011-06-15',
        WebIdentityToken: idToken,
        WebIdentityAccessToken: accessToken,
      }),
    });
    return answer.text();
  }

  const put = (sidecar: TestSidecar, keys: SdkCredentials): Promise<string> =>
    outcome(
      s3Client(sidecar.url, keys, { clock }).send(
        new PutObjectCommand({ Bucket: 'data', Key: 'x', Body: 'x' }),
      ),
    );

  it('in a nested claim of the id token are those of the session', async () => {
    const tokens = await signIn('ada', 'in-token');
    expect(decodeJwt(tokens.id_token ?? '')['storage']).toMatchObject({
      policy: expect.arrayContaining(['WriteData']),
    });
    const keys = await session(byToken, tokens);
    await s3Client(byToken.url, keys, { clock }).send(new CreateBucketCommand({ Bucket: 'data' }));
    expect(await put(byToken, keys)).toBe('allowed');
    const { Arn } = await stsClient(byToken.url, keys, clock).send(new GetCallerIdentityCommand({}));
    expect(Arn).toBe(`arn:aws:sts::${account}:assumed-role/people/${ada}`);
  });

  it('are needed', async () => {
    expect(await outcome(session(byToken, await signIn('eve', 'in-token')))).toBe('AccessDenied 403');
    expect(await outcome(session(byToken, await signIn('ada', 'console')))).toBe('AccessDenied 403');
  });

  it('that only UserInfo supplies are granted with the access token', async () => {
    const { id_token: idToken = '', access_token: accessToken = '' } = await signIn('ada', 'in-userinfo');
    expect(decodeJwt(idToken)['storage']).toBeUndefined();
    const text = await askWithAccessToken(idToken, accessToken);
    const element = (name: string): string => new RegExp(`<${name}>([^<]*)<`).exec(text)?.[1] ?? '';
    const keys = {
      accessKeyId: element('AccessKeyId'),
      secretAccessKey: element('SecretAccessKey'),
      sessionToken: element('SessionToken'),
    };
    await s3Client(byUserInfo.url, keys, { clock }).send(new CreateBucketCommand({ Bucket: 'data' }));
    expect(await put(byUserInfo, keys)).toBe('allowed');
  });

  it('that only UserInfo supplies are not granted without the access token, with a made-up one, or with that of another user', async () => {
    const tokens = await signIn('eve', 'in-userinfo');
    const { id_token: idToken = '', access_token: own = '' } = tokens;
    const { access_token: ofAda = '' } = await signIn('ada', 'in-userinfo');
    expect(await askWithAccessToken(idToken, own)).toContain('<Code>AccessDenied<');
    expect(await askWithAccessToken(idToken, ofAda)).toContain('<Code>InvalidIdentityToken<');
    expect(await askWithAccessToken(idToken, 'made-up')).toContain('<Code>IDPRejectedClaim<');
    expect(await outcome(session(byUserInfo, tokens))).toMatch(/^InvalidIdentityToken/);
  });

  it('can be those of a client id, by its generated role', async () => {
    const record = { mode: 'role-policy', provider: 'staff', policies: [], uniqueName: '' } as const;
    const RoleArn = providerRoleArn({ ...record, name: openIdRoleId('console') }, 'us-east-1');
    const keys = await session(byToken, await signIn('eve', 'console'), { RoleArn });
    expect(await put(byToken, keys)).toBe('AccessDenied 403');
    const { Arn } = await stsClient(byToken.url, keys, clock).send(new GetCallerIdentityCommand({}));
    expect(Arn).toContain(`:assumed-role/${openIdRoleId('console')}/`);
    const foreign = session(byToken, await signIn('ada', 'in-token'), { RoleArn });
    expect(await outcome(foreign)).toBe('AccessDenied 403');
  });
});
