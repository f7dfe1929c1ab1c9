import { randomBytes } from 'node:crypto';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandOutput,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { outcome, type SdkCredentials, s3Client, stsClient } from '../support/sdk.ts';
import { account, roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { bareIssuer, webIdentityDirectory } from '../support/web-identity.ts';
import { type Keycloak, startKeycloak, type Tokens } from './start-keycloak.ts';

const realm = 'storage';
const clientSecret = randomBytes(20).toString('hex');
const password = randomBytes(20).toString('hex');
const clock = new TestClock();

describe('tokens of Keycloak', () => {
  let keycloak: Keycloak;
  let sidecar: TestSidecar;
  let ada: string;

  beforeAll(async () => {
    keycloak = await startKeycloak();
    await keycloak.administer('POST', '', { realm, enabled: true });
    await keycloak.administer('POST', `/${realm}/clients`, client('sts-sidecar'));
    await keycloak.administer('POST', `/${realm}/clients`, client('other-client'));
    ada = await keycloak.administer('POST', `/${realm}/users`, user('ada'));
    await keycloak.administer('POST', `/${realm}/users`, user('eve'));
    const issuer = keycloak.issuer(realm);
    const bare = bareIssuer(issuer);
    sidecar = await startSidecar({
      clock,
      directory: webIdentityDirectory({
        issuer,
        condition: `{ StringEquals: { "${bare}:aud": sts-sidecar, "${bare}:sub": "${ada}" } }`,
      }),
    });
  });
  afterAll(async () => {
    await sidecar?.stop();
    await keycloak?.stop();
  });

  const signIn = (username: string, clientId = 'sts-sidecar', inRealm = realm): Promise<Tokens> =>
    keycloak.grant(inRealm, {
      grant_type: 'password',
      scope: 'openid',
      client_id: clientId,
      client_secret: clientSecret,
      username,
      password,
    });

  const idToken = async (username: string, clientId?: string): Promise<string> =>
    (await signIn(username, clientId)).id_token ?? '';

  function assume(token: string, role = 'pod'): Promise<AssumeRoleWithWebIdentityCommandOutput> {
    const sts = new STSClient({ endpoint: sidecar.url, region: 'us-east-1', maxAttempts: 1 });
    return sts.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: roleArn(role),
        RoleSessionName: 'app',
        WebIdentityToken: token,
      }),
    );
  }

  async function session(token: string, role?: string): Promise<SdkCredentials> {
    const { Credentials } = await assume(token, role);
    return {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
  }

  // The SDK appends Exception to the names of its classes.
  const refusal = async (token: string, role?: string): Promise<string> =>
    (await outcome(assume(token, role))).replace(/Exception /, ' ');

  const put = (credentials: SdkCredentials, Bucket: string, Key: string): Promise<string> =>
    outcome(
      s3Client(sidecar.url, credentials, { clock }).send(new PutObjectCommand({ Bucket, Key, Body: 'x' })),
    );

  it('assume a role that may use the store, and nothing else of it', async () => {
    const token = await idToken('ada');
    expect(await assume(token)).toMatchObject({
      SubjectFromWebIdentityToken: ada,
      Audience: 'sts-sidecar',
      Provider: keycloak.issuer(realm),
      AssumedRoleUser: { Arn: `arn:aws:sts::${account}:assumed-role/pod/app` },
    });
    const credentials = await session(token);
    const identity = await stsClient(sidecar.url, credentials, clock).send(new GetCallerIdentityCommand({}));
    expect(identity.Arn).toBe(`arn:aws:sts::${account}:assumed-role/pod/app`);
    const s3 = s3Client(sidecar.url, credentials, { clock });
    await s3.send(new CreateBucketCommand({ Bucket: 'data' }));
    await s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'a', Body: 'from Keycloak' }));
    const read = await s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'a' }));
    expect(await read.Body?.transformToString()).toBe('from Keycloak');
    expect(await put(credentials, 'other', 'a')).toBe('AccessDenied 403');
  });

  it('of a client itself write below its own subject only', async () => {
    const { id_token: token = '' } = await keycloak.grant(realm, {
      grant_type: 'client_credentials',
      scope: 'openid',
      client_id: 'sts-sidecar',
      client_secret: clientSecret,
    });
    const credentials = await session(token, 'own-prefix');
    expect(await put(credentials, 'data', `${decodeJwt(token).sub}/x`)).toBe('allowed');
    expect(await put(credentials, 'data', `${ada}/x`)).toBe('AccessDenied 403');
    expect(await refusal(token)).toBe('AccessDenied 403');
  });

  it('of another client are InvalidIdentityToken', async () => {
    expect(await refusal(await idToken('ada', 'other-client'))).toBe('InvalidIdentityToken 400');
  });

  it('of another user are AccessDenied', async () => {
    expect(await refusal(await idToken('eve'))).toBe('AccessDenied 403');
  });

  it('that are access tokens, whose audience is another, are InvalidIdentityToken', async () => {
    const { access_token: token } = await signIn('ada');
    expect(decodeJwt(token)).toMatchObject({ aud: 'account', azp: 'sts-sidecar' });
    expect(await refusal(token)).toBe('InvalidIdentityToken 400');
  });

  it('of another realm with the same names are InvalidIdentityToken', async () => {
    await keycloak.administer('POST', '', { realm: 'twin', enabled: true });
    await keycloak.administer('POST', '/twin/clients', client('sts-sidecar'));
    await keycloak.administer('POST', '/twin/users', { ...user('ada'), id: ada });
    const { id_token: token = '' } = await signIn('ada', 'sts-sidecar', 'twin');
    expect(decodeJwt(token)).toMatchObject({ aud: 'sts-sidecar' });
    expect(await refusal(token)).toBe('InvalidIdentityToken 400');
    // With the right issuer written in, the signature is no longer that of the payload.
    const [header, , signature] = token.split('.');
    const claims = { ...decodeJwt(token), iss: keycloak.issuer(realm), sub: ada };
    const forged = Buffer.from(JSON.stringify(claims)).toString('base64url');
    expect(await refusal(`${header}.${forged}.${signature}`)).toBe('InvalidIdentityToken 400');
  });

  it('with another subject than was signed are InvalidIdentityToken', async () => {
    const token = await idToken('eve');
    const [header, , signature] = token.split('.');
    const forged = Buffer.from(JSON.stringify({ ...decodeJwt(token), sub: ada })).toString('base64url');
    expect(await refusal(`${header}.${forged}.${signature}`)).toBe('InvalidIdentityToken 400');
  });

  it('that Keycloak itself considers expired are ExpiredToken', async () => {
    await keycloak.administer('PUT', `/${realm}`, { accessTokenLifespan: 1 });
    const token = await idToken('ada');
    await keycloak.administer('PUT', `/${realm}`, { accessTokenLifespan: 300 });
    const { exp = 0, iat = 0 } = decodeJwt(token);
    expect(exp - iat).toBe(1);
    await expect.poll(() => refusal(token), { timeout: 10_000, interval: 500 }).toBe('ExpiredToken 400');
  });

  describe('after a rotation of the realm’s keys', () => {
    // Unknown keys are looked up at most once in half a minute, for all callers together.
    beforeEach(() => clock.advance(31_000));

    const addKeys = (providerId: string, config: Readonly<Record<string, string[]>>): Promise<string> =>
      keycloak.administer('POST', `/${realm}/components`, {
        name: `next-${providerId}`,
        providerId,
        providerType: 'org.keycloak.keys.KeyProvider',
        config: { priority: ['900'], enabled: ['true'], active: ['true'], ...config },
      });

    it('work with the new key and with the old one', async () => {
      const before = await idToken('ada');
      await addKeys('rsa-generated', { keySize: ['3072'], algorithm: ['RS256'] });
      const after = await idToken('ada');
      expect(decodeProtectedHeader(after).kid).not.toBe(decodeProtectedHeader(before).kid);
      expect(await put(await session(after), 'data', 'after')).toBe('allowed');
      expect(await put(await session(before), 'data', 'before')).toBe('allowed');
    });

    it('work with a key of another algorithm', async () => {
      await addKeys('ecdsa-generated', { ecdsaEllipticCurveKey: ['P-256'] });
      const clients = JSON.parse(
        await keycloak.administer('GET', `/${realm}/clients?clientId=sts-sidecar`),
      ) as readonly { id: string }[];
      await keycloak.administer('PUT', `/${realm}/clients/${clients[0]?.id}`, {
        ...client('sts-sidecar'),
        attributes: { 'id.token.signed.response.alg': 'ES256' },
      });
      const token = await idToken('ada');
      expect(decodeProtectedHeader(token).alg).toBe('ES256');
      expect(await put(await session(token), 'data', 'es256')).toBe('allowed');
    });

    it('are still refused to another client', async () => {
      expect(await refusal(await idToken('ada', 'other-client'))).toBe('InvalidIdentityToken 400');
    });
  });
});

const client = (clientId: string): Readonly<Record<string, unknown>> => ({
  clientId,
  secret: clientSecret,
  publicClient: false,
  directAccessGrantsEnabled: true,
  serviceAccountsEnabled: true,
});

/** Without a name and an address Keycloak would first ask the user for them. */
const user = (username: string): Readonly<Record<string, unknown>> => ({
  username,
  enabled: true,
  firstName: username,
  lastName: 'Test',
  email: `${username}@example.com`,
  emailVerified: true,
  credentials: [{ type: 'password', value: password, temporary: false }],
});
