import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import {
  fromIni,
  fromTemporaryCredentials,
  fromTokenFile,
  fromWebToken,
} from '@aws-sdk/credential-providers';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { outcome, s3Client } from '../support/sdk.ts';
import { account, alice, roleArn, startSidecar, TestClock, type TestSidecar } from '../support/sidecar.ts';
import { providerArn } from '../support/web-identity.ts';

const totpSecret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const serialNumber = `arn:aws:iam::${account}:mfa/alice`;
const clock = new TestClock();
const folder = mkdtempSync(join(tmpdir(), 'sts-providers-'));
let idp: TestIdentityProvider;
let sidecar: TestSidecar;

const trust = (principal: string, actions: string, condition = ''): string =>
  `{ Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: ${principal}, Action: ${actions}${condition} }] }`;
const own = `{ AWS: "arn:aws:iam::${account}:root" }`;
const both = '["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]';
const directory = (issuer: string): string => `
directory:
  policies:
    Data:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Action: ["s3:PutObject", "s3:GetObject"], Resource: "arn:aws:s3:::data/\${aws:PrincipalTag/team}/*" }
        - { Effect: Allow, Action: ["s3:PutObject", "s3:GetObject"], Resource: "arn:aws:s3:::data/open/*" }
        - { Effect: Allow, Action: ${both}, Resource: "*" }
  users:
    - name: alice
      policies: [Data]
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      mfaDevices: [{ serialNumber: "${serialNumber}", totpSecret: { env: TOTP } }]
  roles:
    - { name: data, policies: [Data], trustPolicy: ${trust(own, both)} }
    - { name: next, policies: [Data], trustPolicy: ${trust(`{ AWS: "${roleArn('data')}" }`, both)} }
    - { name: guarded, policies: [Data], trustPolicy: ${trust(own, '"sts:AssumeRole"', ', Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } }')} }
    - { name: web, policies: [Data], trustPolicy: ${trust(`{ Federated: "${providerArn(issuer)}" }`, '"sts:AssumeRoleWithWebIdentity"')} }
  identityProviders:
    - { kind: oidc, name: company, issuer: "${issuer}", clientIds: [sts-sidecar] }
`;

beforeAll(async () => {
  idp = await startIdentityProvider();
  sidecar = await startSidecar({ clock, directory: directory(idp.issuer), variables: { TOTP: totpSecret } });
  await s3Client(sidecar.storeUrl, sidecar.storeCredentials).send(
    new CreateBucketCommand({ Bucket: 'data' }),
  );
});
afterAll(async () => {
  await sidecar.stop();
  await idp.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Provider = NonNullable<ConstructorParameters<typeof STSClient>[0]>['credentials'];

const clientConfig = () => ({ endpoint: sidecar.url, region: 'us-east-1', maxAttempts: 1 });
const code = (): string =>
  new TOTP({ secret: Secret.fromBase32(totpSecret) }).generate({ timestamp: clock.now() });
/** A code that was not sent before: the sidecar goes half a minute ahead, which no signature minds. */
const nextCode = async (): Promise<string> => {
  clock.advance(30_000);
  return code();
};

/** Who a provider's credentials are, what they may write, and what they may not. */
async function proven(credentials: Provider): Promise<string[]> {
  if (credentials === undefined) throw new Error('a provider is needed');
  const { Arn = '' } = await new STSClient({ ...clientConfig(), credentials }).send(
    new GetCallerIdentityCommand({}),
  );
  const s3 = s3Client(sidecar.url, alice, { config: { credentials } });
  const write = (Key: string): Promise<string> =>
    outcome(s3.send(new PutObjectCommand({ Bucket: 'data', Key, Body: 'x' })));
  const read = await outcome(s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'open/a' })));
  return [Arn, await write('open/a'), read.replace('NoSuchKey 404', 'allowed'), await write('closed/a')];
}
const session = (role: string, name: string): string[] => [
  `arn:aws:sts::${account}:assumed-role/${role}/${name}`,
  'allowed',
  expect.stringMatching(/^(?:allowed|AccessDenied 403)$/) as unknown as string,
  'AccessDenied 403',
];

describe('fromTemporaryCredentials', () => {
  it('assumes a role with tags and a source identity', async () => {
    const credentials = fromTemporaryCredentials({
      masterCredentials: alice,
      clientConfig: clientConfig(),
      params: {
        RoleArn: roleArn('data'),
        RoleSessionName: 'tagged',
        Tags: [{ Key: 'team', Value: 'blue' }],
        TransitiveTagKeys: ['team'],
        SourceIdentity: 'alice',
      },
    });
    expect(await proven(credentials)).toEqual(session('data', 'tagged'));
    const s3 = s3Client(sidecar.url, alice, { config: { credentials } });
    const write = (Key: string): Promise<string> =>
      outcome(s3.send(new PutObjectCommand({ Bucket: 'data', Key, Body: 'x' })));
    expect([await write('blue/a'), await write('red/a')]).toEqual(['allowed', 'AccessDenied 403']);
  });

  it('chains through another provider', async () => {
    const first = fromTemporaryCredentials({
      masterCredentials: alice,
      clientConfig: clientConfig(),
      params: { RoleArn: roleArn('data'), RoleSessionName: 'first' },
    });
    const credentials = fromTemporaryCredentials({
      masterCredentials: first,
      clientConfig: clientConfig(),
      params: { RoleArn: roleArn('next'), RoleSessionName: 'second' },
    });
    expect(await proven(credentials)).toEqual(session('next', 'second'));
  });

  it('asks for a one-time code', async () => {
    const params = { RoleArn: roleArn('guarded'), RoleSessionName: 'guarded', SerialNumber: serialNumber };
    const withCode = (mfaCodeProvider: () => Promise<string>): Provider =>
      fromTemporaryCredentials({
        masterCredentials: alice,
        clientConfig: clientConfig(),
        params,
        mfaCodeProvider,
      });
    expect(await proven(withCode(nextCode))).toEqual(session('guarded', 'guarded'));
    const reused = code();
    for (const wrong of [reused, '000000']) {
      await expect(proven(withCode(async () => wrong))).rejects.toThrow(
        'MultiFactorAuthentication failed with invalid MFA one time pass code.',
      );
    }
  });

  it('takes a new session when the old one is about to expire', async () => {
    const credentials = fromTemporaryCredentials({
      masterCredentials: alice,
      clientConfig: clientConfig(),
      params: { RoleArn: roleArn('data'), RoleSessionName: 'short', DurationSeconds: 900 },
    });
    // The sidecar is so far behind that the session seems to have a minute left.
    const ahead = clock.now() - systemClock.now();
    clock.advance(-ahead - 14 * 60_000);
    const before = issued();
    const s3 = s3Client(sidecar.url, alice, { config: { credentials } });
    for (let index = 0; index < 3; index += 1) {
      const sent = s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'open/a', Body: 'x' }));
      expect(await outcome(sent)).toBe('allowed');
    }
    expect(issued() - before).toBeGreaterThanOrEqual(2);
    clock.advance(ahead + 14 * 60_000);
  });

  it('is told when it is not allowed to', async () => {
    const credentials = fromTemporaryCredentials({
      masterCredentials: alice,
      clientConfig: clientConfig(),
      params: { RoleArn: roleArn('next'), RoleSessionName: 'stranger' },
    });
    await expect(proven(credentials)).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});

const issued = (): number =>
  sidecar.logged.filter(
    (line) => line.includes('"operation":"AssumeRole"') && line.includes('issued_session_id'),
  ).length;

describe('web identity', () => {
  it('works with a token', async () => {
    const credentials = fromWebToken({
      roleArn: roleArn('web'),
      roleSessionName: 'token',
      webIdentityToken: await idp.mint(),
      clientConfig: clientConfig(),
    });
    expect(await proven(credentials)).toEqual(session('web', 'token'));
  });

  it('works with a token file', async () => {
    const webIdentityTokenFile = join(folder, 'token');
    writeFileSync(webIdentityTokenFile, await idp.mint());
    const credentials = fromTokenFile({
      roleArn: roleArn('web'),
      roleSessionName: 'file',
      webIdentityTokenFile,
      clientConfig: clientConfig(),
    });
    expect(await proven(credentials)).toEqual(session('web', 'file'));
  });

  it('of another audience is refused', async () => {
    const credentials = fromWebToken({
      roleArn: roleArn('web'),
      webIdentityToken: await idp.mint({ aud: 'other' }),
      clientConfig: clientConfig(),
    });
    await expect(proven(credentials)).rejects.toThrow('Incorrect token audience');
  });
});

describe('profiles', () => {
  const profile = async (name: string, mfaCodeProvider?: () => Promise<string>): Promise<string[]> => {
    const configFilepath = join(folder, 'config');
    const filepath = join(folder, 'credentials');
    const tokenFile = join(folder, 'profile-token');
    writeFileSync(tokenFile, await idp.mint());
    const role = (of: string, lines: string): string => `[profile ${of}]\nregion = us-east-1\n${lines}\n`;
    writeFileSync(
      configFilepath,
      [
        role(
          'role',
          `role_arn = ${roleArn('data')}\nrole_session_name = from-profile\nsource_profile = alice`,
        ),
        role('chain', `role_arn = ${roleArn('next')}\nrole_session_name = chained\nsource_profile = role`),
        role(
          'mfa',
          `role_arn = ${roleArn('guarded')}\nrole_session_name = with-mfa\nsource_profile = alice\nmfa_serial = ${serialNumber}`,
        ),
        role(
          'web',
          `role_arn = ${roleArn('web')}\nrole_session_name = by-file\nweb_identity_token_file = ${tokenFile}`,
        ),
      ].join('\n'),
    );
    writeFileSync(
      filepath,
      `[alice]\naws_access_key_id = ${alice.accessKeyId}\naws_secret_access_key = ${alice.secretAccessKey}\n`,
    );
    const common = {
      profile: name,
      filepath,
      configFilepath,
      ignoreCache: true,
      clientConfig: clientConfig(),
    };
    return proven(fromIni(mfaCodeProvider === undefined ? common : { ...common, mfaCodeProvider }));
  };

  it('name a role and whose keys assume it', async () => {
    expect(await profile('role')).toEqual(session('data', 'from-profile'));
  });

  it('chain', async () => {
    expect(await profile('chain')).toEqual(session('next', 'chained'));
  });

  it('name a token file', async () => {
    // For the token file of a profile, the SDK passes no client settings on.
    vi.stubEnv('AWS_ENDPOINT_URL_STS', sidecar.url);
    vi.stubEnv('AWS_REGION', 'us-east-1');
    expect(await profile('web')).toEqual(session('web', 'by-file'));
    vi.unstubAllEnvs();
  });

  it('name a device, whose code is asked for', async () => {
    expect(await profile('mfa', nextCode)).toEqual(session('guarded', 'with-mfa'));
    await expect(profile('mfa', async () => '000000')).rejects.toThrow('MultiFactorAuthentication failed');
  });
});
