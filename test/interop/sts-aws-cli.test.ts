import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { account, alice, roleArn } from '../support/sidecar.ts';
import { cachedFolder, requireComponent } from './components.ts';
import { type StsWorld, startStsWorld } from './sts/sts-world.ts';

let world: StsWorld;
const folder = mkdtempSync(join(tmpdir(), 'sts-cli-'));
beforeAll(async () => {
  world = await startStsWorld();
});
afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Said {
  readonly code: number;
  readonly output: string;
  readonly error: string;
}
interface Keys {
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly SessionToken?: string;
}

const longTerm: Keys = { AccessKeyId: alice.accessKeyId, SecretAccessKey: alice.secretAccessKey };

/** Runs a CLI without a terminal, so that it asks for codes on its standard input. */
function runDetached(
  [program = '', ...first]: readonly string[],
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  input = '',
): Promise<Said> {
  const env = cleanEnvironment({ PYTHONWARNINGS: 'ignore', AWS_PAGER: '', ...environment });
  const child = spawn(program, [...first, ...args], { env, detached: true, timeout: 100_000 });
  const texts = { output: '', error: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    texts.output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    texts.error += chunk.toString();
  });
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, ...texts }));
  });
}

const clis = [
  ['the AWS CLI of Debian', () => [requireComponent('aws')]],
  ['the current AWS CLI', () => [join(cachedFolder('awscli'), 'bin', 'python'), '-m', 'awscli']],
] as const;

describe.each(clis)('%s', (_, program) => {
  const aws = (keys: Keys | undefined, ...args: readonly string[]): Promise<Said> =>
    runDetached(
      program(),
      ['--endpoint-url', world.sidecar.url, '--region', 'us-east-1', '--output', 'json', ...args],
      keys === undefined
        ? { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' }
        : {
            AWS_ACCESS_KEY_ID: keys.AccessKeyId,
            AWS_SECRET_ACCESS_KEY: keys.SecretAccessKey,
            ...(keys.SessionToken === undefined ? {} : { AWS_SESSION_TOKEN: keys.SessionToken }),
          },
    );
  // biome-ignore lint/suspicious/noExplicitAny: whatever the command prints.
  const answer = async (said: Promise<Said>): Promise<any> => {
    const { code, output, error } = await said;
    expect([code, error]).toEqual([0, '']);
    return JSON.parse(output);
  };
  const refusal = async (said: Promise<Said>): Promise<string> => {
    const { code, error } = await said;
    expect(code).not.toBe(0);
    return error;
  };
  const assume = (keys: Keys, role: string, ...more: readonly string[]): Promise<Said> =>
    aws(keys, 'sts', 'assume-role', '--role-arn', roleArn(role), '--role-session-name', 'cli', ...more);
  /** Checks a caller's identity, and that it may write where the policies say and nowhere else. */
  const prove = async (keys: Keys, arn: string, key = 'open/cli'): Promise<void> => {
    expect((await answer(aws(keys, 'sts', 'get-caller-identity'))).Arn).toBe(arn);
    const file = join(folder, 'body');
    writeFileSync(file, 'x');
    const put = (to: string): Promise<Said> =>
      aws(keys, 's3api', 'put-object', '--bucket', 'data', '--key', to, '--body', file);
    expect((await put(key)).code).toBe(0);
    expect(await refusal(put('closed/cli'))).toContain('(AccessDenied)');
  };

  it('assumes a role with every parameter that AWS has', async () => {
    const { serialNumber, code } = world.device();
    const { Credentials, AssumedRoleUser, SourceIdentity, PackedPolicySize } = await answer(
      assume(
        longTerm,
        'external',
        ...['--external-id', 'the-external-id', '--duration-seconds', '900', '--source-identity', 'alice'],
        ...['--tags', 'Key=team,Value=blue', 'Key=cost,Value=', '--transitive-tag-keys', 'team'],
        ...['--policy-arns', `arn=arn:aws:iam::${account}:policy/Data`],
        ...['--serial-number', serialNumber, '--token-code', await code()],
      ),
    );
    expect(AssumedRoleUser.Arn).toBe(`arn:aws:sts::${account}:assumed-role/external/cli`);
    expect([SourceIdentity, PackedPolicySize > 0]).toEqual(['alice', true]);
    await prove(Credentials, AssumedRoleUser.Arn, 'blue/cli');
    expect(await refusal(assume(longTerm, 'external'))).toContain('(AccessDenied)');
  });

  it('narrows a role by an inline policy', async () => {
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::data/open/only' }],
    });
    const { Credentials, AssumedRoleUser } = await answer(assume(longTerm, 'data', '--policy', Policy));
    await prove(Credentials, AssumedRoleUser.Arn, 'open/only');
    expect(
      await refusal(
        aws(Credentials, 's3api', 'get-object', '--bucket', 'data', '--key', 'open/only', join(folder, 'x')),
      ),
    ).toContain('because no session policy allows');
  });

  it('needs the code of a device where the trust policy says so', async () => {
    const { serialNumber, code } = world.device();
    const once = await code();
    const withCode = (TokenCode: string): Promise<Said> =>
      assume(longTerm, 'guarded', '--serial-number', serialNumber, '--token-code', TokenCode);
    expect(await refusal(assume(longTerm, 'guarded'))).toContain('(AccessDenied)');
    expect(await refusal(withCode('000000'))).toContain(
      'MultiFactorAuthentication failed with invalid MFA one time pass code.',
    );
    await prove(
      (await answer(withCode(once))).Credentials,
      `arn:aws:sts::${account}:assumed-role/guarded/cli`,
    );
    expect(await refusal(withCode(once))).toContain('MultiFactorAuthentication failed');
  });

  it('gets a session of its own, with and without a code', async () => {
    const { serialNumber, code } = world.device();
    const plain = await answer(aws(longTerm, 'sts', 'get-session-token', '--duration-seconds', '900'));
    await prove(plain.Credentials, `arn:aws:iam::${account}:user/alice`);
    expect(await refusal(assume(plain.Credentials, 'guarded'))).toContain('(AccessDenied)');
    const { Credentials } = await answer(
      aws(
        longTerm,
        'sts',
        'get-session-token',
        '--serial-number',
        serialNumber,
        '--token-code',
        await code(),
      ),
    );
    expect((await answer(assume(Credentials, 'guarded'))).Credentials.AccessKeyId).toMatch(/^ASIA/);
    expect(await refusal(aws(Credentials, 'sts', 'get-session-token'))).toContain(
      'Cannot call GetSessionToken with session credentials',
    );
  });

  it('gets a session for a federated user', async () => {
    const { Credentials, FederatedUser } = await answer(
      aws(
        longTerm,
        ...['sts', 'get-federation-token', '--name', 'guest', '--tags', 'Key=team,Value=red'],
        ...['--policy-arns', `arn=arn:aws:iam::${account}:policy/Data`],
      ),
    );
    expect(FederatedUser).toEqual({
      FederatedUserId: `${account}:guest`,
      Arn: `arn:aws:sts::${account}:federated-user/guest`,
    });
    await prove(Credentials, FederatedUser.Arn, 'red/cli');
    expect(await refusal(assume(Credentials, 'data'))).toContain('(AccessDenied)');
  });

  it('looks up the account of an access key', async () => {
    const info = (key: string): Promise<Said> =>
      aws(longTerm, 'sts', 'get-access-key-info', '--access-key-id', key);
    expect(await answer(info('ASIAY34FZKBOKMUTVV7A'))).toEqual({ Account: '609629065308' });
    expect(await answer(info(alice.accessKeyId))).toEqual({ Account: account });
    expect(await refusal(info('short'))).toMatch(/ValidationError|Parameter validation failed/);
  });

  it('reads why it was denied', async () => {
    const denied = await refusal(
      aws(longTerm, 's3api', 'get-object', '--bucket', 'data', '--key', 'closed/x', join(folder, 'x')),
    );
    const [, message = ''] = /Encoded authorization failure message: (\S+)/.exec(denied) ?? [];
    const decode = (text: string): Promise<Said> =>
      aws(longTerm, 'sts', 'decode-authorization-message', '--encoded-message', text);
    const { DecodedMessage } = await answer(decode(message));
    expect(JSON.parse(DecodedMessage)).toMatchObject({
      allowed: false,
      explicitDeny: false,
      context: { action: 's3:GetObject', resource: 'arn:aws:s3:::data/closed/x' },
    });
    expect(await refusal(decode(`${message.slice(0, -4)}AAAA`))).toContain('InvalidAuthorizationMessage');
  });

  it('assumes a role with a token', async () => {
    const withToken = (token: string): Promise<Said> =>
      aws(
        undefined,
        ...['sts', 'assume-role-with-web-identity', '--role-arn', roleArn('web')],
        ...['--role-session-name', 'web-cli', '--web-identity-token', token],
      );
    const { Credentials, SubjectFromWebIdentityToken } = await answer(withToken(await world.idp.mint()));
    expect(SubjectFromWebIdentityToken).not.toBe('');
    await prove(Credentials, `arn:aws:sts::${account}:assumed-role/web/web-cli`);
    expect(await refusal(withToken(await world.idp.mint({ aud: 'other' })))).toContain(
      '(InvalidIdentityToken)',
    );
  });
});

// The CLI of Debian is older than the variable that sends its own calls of STS somewhere else than to AWS.
describe('profiles of the current AWS CLI', () => {
  const program = (): string[] => [join(cachedFolder('awscli'), 'bin', 'python'), '-m', 'awscli'];

  async function withProfile(profile: string, lines: string, input = ''): Promise<Said> {
    const config = join(mkdtempSync(join(folder, 'profile-')), 'config');
    const base = `[profile alice]\naws_access_key_id = ${alice.accessKeyId}\naws_secret_access_key = ${alice.secretAccessKey}\n`;
    writeFileSync(config, `${base}${lines}`);
    const environment = {
      AWS_CONFIG_FILE: config,
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_ENDPOINT_URL: world.sidecar.url,
      AWS_EC2_METADATA_DISABLED: 'true',
      HOME: folder,
    };
    const args = [
      '--profile',
      profile,
      '--region',
      'us-east-1',
      '--output',
      'json',
      'sts',
      'get-caller-identity',
    ];
    return runDetached(program(), args, environment, input);
  }
  const role = (name: string, further: string): string =>
    `[profile ${name}]\nrole_arn = ${roleArn(name)}\nrole_session_name = profile\n${further}\n`;
  // What it says on stderr is the prompt.
  const arnOf = ({ code, output }: Said): string => {
    expect(code).toBe(0);
    return JSON.parse(output).Arn;
  };

  it('assume a role', async () => {
    expect(arnOf(await withProfile('data', role('data', 'source_profile = alice')))).toBe(
      `arn:aws:sts::${account}:assumed-role/data/profile`,
    );
  });

  it('chain', async () => {
    const lines = role('data', 'source_profile = alice') + role('next', 'source_profile = data');
    expect(arnOf(await withProfile('next', lines))).toBe(`arn:aws:sts::${account}:assumed-role/next/profile`);
  });

  it('ask for the code of a device', async () => {
    const { serialNumber, code } = world.device();
    const lines = role('guarded', `source_profile = alice\nmfa_serial = ${serialNumber}`);
    // First the wrong one: the CLI keeps what it got.
    const { code: failed, error } = await withProfile('guarded', lines, '000000\n');
    expect([failed === 0, error]).toEqual([
      false,
      expect.stringContaining('MultiFactorAuthentication failed'),
    ]);
    expect(arnOf(await withProfile('guarded', lines, `${await code()}\n`))).toBe(
      `arn:aws:sts::${account}:assumed-role/guarded/profile`,
    );
  });

  it('present the token of a file', async () => {
    const file = join(folder, 'token');
    writeFileSync(file, await world.idp.mint());
    expect(arnOf(await withProfile('web', role('web', `web_identity_token_file = ${file}`)))).toBe(
      `arn:aws:sts::${account}:assumed-role/web/profile`,
    );
  });
});
