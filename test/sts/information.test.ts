import { describe, expect, it } from 'vitest';
import { testNowMs } from '../support/raw-requests.ts';
import type { TestCredentials } from '../support/smithy-signer.ts';
import {
  accountId,
  arrive,
  assumePolicy,
  assumeRoleForm,
  buildWorld,
  credentialsIn,
  dependenciesOf,
  document,
  elementText,
  keyOf,
  type Outcome,
  roleArn,
  serve,
  trust,
  userArn,
  version,
} from './support/sts-fixture.ts';

const may = (...actions: string[]): object => document({ Effect: 'Allow', Action: actions, Resource: '*' });
const secrets = 'arn:aws:s3:::data/secret/*';
const world = buildWorld({
  hasRoot: true,
  users: {
    alice: { inline: [assumePolicy('*'), may('sts:GetAccessKeyInfo', 'sts:DecodeAuthorizationMessage')] },
    nobody: {},
    denied: { inline: [may('*'), document({ Effect: 'Deny', Action: 'sts:*', Resource: '*' })] },
    excluding: { inline: [document({ Effect: 'Allow', Action: '*', NotResource: secrets })] },
    confined: { inline: [may('*'), document({ Effect: 'Deny', Action: '*', NotResource: secrets })] },
  },
  roles: {
    auditor: {
      trust: trust(`arn:aws:iam::${accountId}:root`),
      inline: [may('sts:GetAccessKeyInfo', 'sts:DecodeAuthorizationMessage')],
    },
    closed: { trust: trust(userArn('somebody-else')) },
  },
});
const dependencies = dependenciesOf(world);

async function call(
  action: string,
  form: Readonly<Record<string, string>>,
  as: TestCredentials = keyOf('alice'),
  nowMs = testNowMs,
): Promise<Outcome> {
  const times = { signedAtMs: nowMs, arrivesAtMs: nowMs };
  return serve(await arrive({ Action: action, Version: version, ...form }, as, times), dependencies);
}
const accountOf = async (AccessKeyId: string, as?: TestCredentials): Promise<string> => {
  const { code, response } = await call('GetAccessKeyInfo', { AccessKeyId }, as);
  return code === '' ? (elementText(response.body, 'Account') ?? '') : code;
};
const auditor = async (): Promise<TestCredentials> =>
  credentialsIn(await call('AssumeRole', assumeRoleForm('auditor')));
const session = async (): Promise<TestCredentials> => credentialsIn(await call('GetSessionToken', {}));

/** The encoded message of a refusal that alice got. */
async function encodedMessage(): Promise<string> {
  return (await call('AssumeRole', assumeRoleForm('closed'))).sealed;
}
const decode = (EncodedMessage: string, as?: TestCredentials, nowMs?: number): Promise<Outcome> =>
  call('DecodeAuthorizationMessage', { EncodedMessage }, as, nowMs);

describe('GetAccessKeyInfo', () => {
  it('knows the keys of the directory, whatever their form', async () => {
    expect(await accountOf(keyOf('nobody').accessKeyId)).toBe(accountId);
  });

  it.each([
    ['ASIAY34FZKBOKMUTVV7A', '609629065308'],
    ['AKIAY34FZKBOKMUTVV7A', '609629065308'],
  ])('reads the account out of %s', async (accessKeyId, account) => {
    expect(await accountOf(accessKeyId)).toBe(account);
  });

  it('reads the account out of a session’s key', async () => {
    expect(await accountOf((await session()).accessKeyId)).toBe(accountId);
  });

  it.each([
    'AKIAIOSFODNN7EXAMPLE',
    'AKIA000000000000000',
    'ASIAy34fzkbokmutvv7a',
    'A'.repeat(15),
    'A'.repeat(129),
    'ASIAY34FZKBOKMUTVV7A ',
  ])('refuses %j, which holds no account', async (accessKeyId) => {
    expect(await accountOf(accessKeyId)).toBe('ValidationError');
  });

  it('is for callers that have the permission', async () => {
    const key = 'ASIAY34FZKBOKMUTVV7A';
    expect(await accountOf(key, await auditor())).toBe('609629065308');
    expect(await accountOf(key, keyOf('root'))).toBe('609629065308');
    expect(await accountOf(key, keyOf('nobody'))).toBe('AccessDenied');
    expect(await accountOf(key, keyOf('denied'))).toBe('AccessDenied');
    expect(await accountOf(key, await session())).toBe('AccessDenied');
  });
});

describe('an action on no resource of its own', () => {
  it('is outside every resource that NotResource names', async () => {
    const message = await encodedMessage();
    const key = 'ASIAY34FZKBOKMUTVV7A';
    expect((await decode(message, keyOf('excluding'))).code).toBe('');
    expect(await accountOf(key, keyOf('excluding'))).toBe('609629065308');
    const refused = await call('GetAccessKeyInfo', { AccessKeyId: key }, keyOf('confined'));
    expect([refused.code, refused.message]).toEqual([
      'AccessDenied',
      expect.stringContaining('with an explicit deny in an identity-based policy'),
    ]);
  });
});

describe('DecodeAuthorizationMessage', () => {
  it('says who was refused what, and why', async () => {
    const outcome = await decode(await encodedMessage());
    const text = elementText(outcome.response.body, 'DecodedMessage')?.replaceAll('&quot;', '"') ?? '';
    expect(JSON.parse(text)).toMatchObject({
      allowed: false,
      explicitDeny: false,
      matchedStatements: { items: [] },
      failures: { items: [] },
      context: {
        principal: { id: 'AIDAALICE', arn: userArn('alice') },
        action: 'sts:AssumeRole',
        resource: roleArn('closed'),
      },
    });
  });

  it('is for callers that have the permission', async () => {
    const message = await encodedMessage();
    expect((await decode(message, await auditor())).code).toBe('');
    expect((await decode(message, keyOf('root'))).code).toBe('');
    for (const as of [keyOf('nobody'), keyOf('denied'), await session()]) {
      expect((await decode(message, as)).code).toBe('AccessDenied');
    }
  });

  it('refuses a message that this service did not seal within a day', async () => {
    const message = await encodedMessage();
    const changed = `${message.slice(0, -1)}${message.endsWith('A') ? 'B' : 'A'}`;
    const token = (await session()).sessionToken ?? '';
    for (const text of [changed, message.slice(1), `${message}A`, 'x', token, `${message}.x`]) {
      const outcome = await decode(text);
      expect([outcome.code, outcome.response.status]).toEqual(['InvalidAuthorizationMessageException', 400]);
    }
    const late = await decode(message, keyOf('alice'), testNowMs + 86_400_000);
    expect(late.code).toBe('InvalidAuthorizationMessageException');
    expect((await decode(message, keyOf('alice'), testNowMs + 86_399_000)).code).toBe('');
  });

  it('refuses a message that is too long or empty', async () => {
    expect((await decode('x'.repeat(10_241))).code).toBe('ValidationError');
    expect((await decode('')).code).toBe('ValidationError');
    expect((await call('DecodeAuthorizationMessage', {})).code).toBe('ValidationError');
  });
});
