import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { account, alice, roleArn } from '../support/sidecar.ts';
import { cachedFolder } from './components.ts';
import { runPython } from './python.ts';
import { type StsWorld, startStsWorld } from './sts/sts-world.ts';

let world: StsWorld;
const folder = mkdtempSync(join(tmpdir(), 'scoped-'));
beforeAll(async () => {
  world = await startStsWorld();
});
afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

// biome-ignore lint/suspicious/noExplicitAny: whatever the client prints.
type Printed = any;
interface Keys {
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly SessionToken?: string;
}
const longTerm: Keys = { AccessKeyId: alice.accessKeyId, SecretAccessKey: alice.secretAccessKey };
const arn = `arn:aws:sts::${account}:assumed-role/data/agent`;
const allow = (Action: string | string[], Resource: string): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action, Resource } });
const firstPolicy = allow(['s3:GetObject', 's3:PutObject'], 'arn:aws:s3:::data/open/*');
const secondPolicy = allow('s3:*', 'arn:aws:s3:::data/open/red/*');
const body = join(folder, 'body');
writeFileSync(body, 'x');

/** One client: its answer, or the code of the error. */
interface Client {
  assume(): Promise<Printed>;
  scope(keys: Keys, policy: string | undefined, seconds?: number, description?: string): Promise<Printed>;
  whoIs(keys: Keys): Promise<Printed>;
  put(keys: Keys, key: string): Promise<Printed>;
}

const ask = (operation: string, parameters: object, keys: Keys, service = 'sts'): Promise<Printed> =>
  runPython('current', 'sts_calls.py', { endpoint: world.sidecar.url, operation, parameters, keys, service });
const boto3: Client = {
  assume: () => ask('assume_role', { RoleArn: roleArn('data'), RoleSessionName: 'agent' }, longTerm),
  scope: (keys, policy, seconds, description) =>
    ask(
      'get_scoped_credentials',
      {
        ...(policy === undefined ? {} : { Policy: policy }),
        ...(seconds === undefined ? {} : { DurationSeconds: seconds }),
        ...(description === undefined ? {} : { ScopedSessionDescription: description }),
      },
      keys,
    ),
  whoIs: (keys) => ask('get_caller_identity', {}, keys),
  put: (keys, Key) => ask('put_object', { Bucket: 'data', Key }, keys, 's3'),
};

/** The models of boto3, which may be newer than those of the newest AWS CLI in the registry. */
function modelsOfBoto3(): string {
  const lib = join(cachedFolder('boto3'), 'lib');
  const [python = ''] = readdirSync(lib);
  return join(lib, python, 'site-packages', 'botocore', 'data');
}
async function aws(keys: Keys, ...args: readonly string[]): Promise<Printed> {
  const env = cleanEnvironment({
    PYTHONWARNINGS: 'ignore',
    AWS_PAGER: '',
    AWS_DATA_PATH: modelsOfBoto3(),
    AWS_ACCESS_KEY_ID: keys.AccessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.SecretAccessKey,
    ...(keys.SessionToken === undefined ? {} : { AWS_SESSION_TOKEN: keys.SessionToken }),
  });
  const common = ['--endpoint-url', world.sidecar.url, '--region', 'us-east-1', '--output', 'json'];
  const program = join(cachedFolder('awscli'), 'bin', 'python');
  try {
    const { stdout } = await promisify(execFile)(program, ['-m', 'awscli', ...common, ...args], { env });
    return JSON.parse(stdout);
  } catch (error) {
    const said =
      typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr) : String(error);
    const [, Code] = /An error occurred \((\w+)\)/.exec(said) ?? [];
    if (Code === undefined) throw error;
    return { Code };
  }
}
const cli: Client = {
  assume: () =>
    aws(longTerm, 'sts', 'assume-role', '--role-arn', roleArn('data'), '--role-session-name', 'agent'),
  scope: (keys, policy, seconds, description) =>
    aws(
      keys,
      ...['sts', 'get-scoped-credentials'],
      ...(policy === undefined ? [] : ['--policy', policy]),
      ...(seconds === undefined ? [] : ['--duration-seconds', String(seconds)]),
      ...(description === undefined ? [] : ['--scoped-session-description', description]),
    ),
  whoIs: (keys) => aws(keys, 'sts', 'get-caller-identity'),
  put: (keys, key) => aws(keys, 's3api', 'put-object', '--bucket', 'data', '--key', key, '--body', body),
};

describe.each([
  ['the current boto3', boto3],
  ['the current AWS CLI', cli],
])('%s', (_, client) => {
  it('narrows a session twice, uses what is left, and is refused the rest', async () => {
    const { Credentials: parent } = await client.assume();
    const first = await client.scope(parent, firstPolicy, undefined, 'the first agent');
    expect(first).toMatchObject({ SessionInfo: { Arn: arn }, ScopedPoliciesCount: 1 });
    expect(first.SessionTokenSize).toBe(first.Credentials.SessionToken.length);
    const second = await client.scope(first.Credentials, secondPolicy, 60);
    expect(second).toMatchObject({ SessionInfo: first.SessionInfo, ScopedPoliciesCount: 2 });
    expect(second.Credentials.Expiration < first.Credentials.Expiration).toBe(true);
    for (const { Credentials } of [first, second]) expect((await client.whoIs(Credentials)).Arn).toBe(arn);
    const tried = async (keys: Keys): Promise<string[]> => {
      const puts = ['open/red/a', 'open/blue/a', 'closed/a'].map((key) => client.put(keys, key));
      return (await Promise.all(puts)).map(({ Code = 'stored' }) => Code);
    };
    expect(await tried(first.Credentials)).toEqual(['stored', 'stored', 'AccessDenied']);
    expect(await tried(second.Credentials)).toEqual(['stored', 'AccessDenied', 'AccessDenied']);
  });

  it('is told the documented codes', async () => {
    const { Credentials: parent } = await client.assume();
    const codeOf = async (answer: Promise<Printed>): Promise<string> => (await answer).Code;
    expect(await codeOf(client.scope(longTerm, firstPolicy))).toBe('AccessDenied');
    expect(await codeOf(client.scope(parent, '{}'))).toBe('MalformedPolicyDocument');
    expect(await codeOf(client.scope(parent, undefined, 3_601))).toBe('InsufficientSessionLifetime');
    expect(await codeOf(client.scope(parent, undefined))).toBe('ValidationError');
    expect(await codeOf(client.scope(parent, firstPolicy, undefined, 'x'.repeat(257)))).toBe(
      'ValidationError',
    );
    const { Credentials: child } = await client.scope(parent, firstPolicy);
    const mixed = { ...child, SessionToken: parent.SessionToken };
    expect(await codeOf(client.scope(mixed, firstPolicy))).toBe('InvalidClientTokenId');
    const { Credentials: third } = await client.scope(
      (await client.scope(child, firstPolicy)).Credentials,
      firstPolicy,
    );
    expect(await codeOf(client.scope(third, firstPolicy))).toBe('AccessDenied');
    expect((await client.scope(third, undefined, 60)).ScopedPoliciesCount).toBe(3);
  });
});
