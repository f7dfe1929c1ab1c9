import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { account, alice, roleArn } from '../support/sidecar.ts';
import { type Boto3, runPython } from './python.ts';
import { type StsWorld, startStsWorld } from './sts/sts-world.ts';

let world: StsWorld;
const folder = mkdtempSync(join(tmpdir(), 'sts-boto3-'));
beforeAll(async () => {
  world = await startStsWorld();
});
afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

// biome-ignore lint/suspicious/noExplicitAny: whatever the script prints.
type Printed = any;
const longTerm = { AccessKeyId: alice.accessKeyId, SecretAccessKey: alice.secretAccessKey };

describe.each<[string, Boto3]>([
  ['boto3 of Debian', 'debian'],
  ['the current boto3', 'current'],
])('%s', (_, version) => {
  const ask = (
    operation: string,
    parameters: object,
    keys: object | null = longTerm,
    service = 'sts',
  ): Promise<Printed> =>
    runPython(version, 'sts_calls.py', { endpoint: world.sidecar.url, operation, parameters, keys, service });
  const assume = (role: string, more: object = {}, keys: object = longTerm): Promise<Printed> =>
    ask('assume_role', { RoleArn: roleArn(role), RoleSessionName: 'boto3', ...more }, keys);
  const prove = async (keys: object, arn: string, key = 'open/boto3'): Promise<void> => {
    expect((await ask('get_caller_identity', {}, keys)).Arn).toBe(arn);
    const put = (Key: string): Promise<Printed> => ask('put_object', { Bucket: 'data', Key }, keys, 's3');
    expect((await put(key)).ETag).toBeDefined();
    expect((await put('closed/boto3')).Code).toBe('AccessDenied');
  };

  it('assumes a role with every parameter that AWS has', async () => {
    const { serialNumber, code } = world.device();
    const { Credentials, AssumedRoleUser, SourceIdentity, PackedPolicySize } = await assume('external', {
      ExternalId: 'the-external-id',
      DurationSeconds: 900,
      SourceIdentity: 'alice',
      Tags: [{ Key: 'team', Value: 'blue' }],
      TransitiveTagKeys: ['team'],
      PolicyArns: [{ arn: `arn:aws:iam::${account}:policy/Data` }],
      SerialNumber: serialNumber,
      TokenCode: await code(),
    });
    expect([SourceIdentity, PackedPolicySize > 0]).toEqual(['alice', true]);
    await prove(Credentials, AssumedRoleUser.Arn, 'blue/boto3');
    const next = await assume('data', {}, Credentials);
    expect(next.SourceIdentity).toBe('alice');
    expect((await assume('external')).Code).toBe('AccessDenied');
    expect(await assume('data', { DurationSeconds: 43_200 })).toEqual({
      Code: 'ValidationError',
      Message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    });
  });

  it('gets sessions of its own, and one for a federated user', async () => {
    const { serialNumber, code } = world.device();
    const own = await ask('get_session_token', { SerialNumber: serialNumber, TokenCode: await code() });
    await prove(own.Credentials, `arn:aws:iam::${account}:user/alice`);
    expect((await assume('guarded', {}, own.Credentials)).Credentials.AccessKeyId).toMatch(/^ASIA/);
    const guest = await ask('get_federation_token', {
      Name: 'guest',
      PolicyArns: [{ arn: `arn:aws:iam::${account}:policy/Data` }],
      Tags: [{ Key: 'team', Value: 'red' }],
    });
    await prove(guest.Credentials, `arn:aws:sts::${account}:federated-user/guest`, 'red/boto3');
    expect(await ask('get_federation_token', { Name: 'guest' }, own.Credentials)).toEqual({
      Code: 'AccessDenied',
      Message: 'Cannot call GetFederationToken with session credentials',
    });
  });

  it('looks up the account of a key, and reads why it was denied', async () => {
    expect(await ask('get_access_key_info', { AccessKeyId: 'ASIAY34FZKBOKMUTVV7A' })).toEqual({
      Account: '609629065308',
    });
    const denied = await ask('get_object', { Bucket: 'data', Key: 'closed/x' }, longTerm, 's3');
    const [, EncodedMessage = ''] = /failure message: (\S+)/.exec(denied.Message) ?? [];
    const { DecodedMessage } = await ask('decode_authorization_message', { EncodedMessage });
    expect(JSON.parse(DecodedMessage)).toMatchObject({ allowed: false, context: { action: 's3:GetObject' } });
    expect((await ask('decode_authorization_message', { EncodedMessage: 'made-up' })).Code).toBe(
      'InvalidAuthorizationMessageException',
    );
  });

  it('assumes a role with a token', async () => {
    const withToken = (WebIdentityToken: string): Promise<Printed> =>
      ask(
        'assume_role_with_web_identity',
        { RoleArn: roleArn('web'), RoleSessionName: 'boto3', WebIdentityToken },
        null,
      );
    const { Credentials, AssumedRoleUser } = await withToken(await world.idp.mint());
    await prove(Credentials, AssumedRoleUser.Arn);
    expect((await withToken(await world.idp.mint({ aud: 'other' }))).Code).toBe('InvalidIdentityToken');
  });
});

// Debian's boto3 is older than the variable, and sends the calls that a profile needs to AWS.
describe('a profile of the current boto3', () => {
  it('asks for the code of a device', async () => {
    const { serialNumber, code } = world.device();
    const config = join(folder, 'config');
    writeFileSync(
      config,
      `[profile alice]
aws_access_key_id = ${alice.accessKeyId}
aws_secret_access_key = ${alice.secretAccessKey}
[profile guarded]
role_arn = ${roleArn('guarded')}
role_session_name = profile
source_profile = alice
mfa_serial = ${serialNumber}
region = us-east-1
`,
    );
    const environment = {
      AWS_CONFIG_FILE: config,
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_ENDPOINT_URL: world.sidecar.url,
      HOME: folder,
    };
    const asked = (text: string): Promise<Printed> =>
      runPython('current', 'sts_calls.py', { profile: 'guarded', code: text }, environment);
    expect((await asked('000000')).Message).toContain('MultiFactorAuthentication failed');
    expect((await asked(await code())).Arn).toBe(`arn:aws:sts::${account}:assumed-role/guarded/profile`);
  });
});
