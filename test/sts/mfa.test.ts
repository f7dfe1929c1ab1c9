import { createHmac } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryState } from '../../src/state/memory-state.ts';
import type { StsDependencies } from '../../src/sts/handle.ts';
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
  keyOf,
  type Outcome,
  serve,
  trust,
  version,
} from './support/sts-fixture.ts';

/** Of RFC 6238, appendix B: the text 12345678901234567890. */
const rfcSecret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const serial = (name: string): string => `arn:aws:iam::${accountId}:mfa/${name}`;
const account = `arn:aws:iam::${accountId}:root`;

const world = buildWorld({
  hasRoot: true,
  users: {
    alice: {
      inline: [assumePolicy('*')],
      mfa: { [serial('alice')]: rfcSecret, [serial('spare')]: 'MFRGGZDFMZTWQ2LK' },
    },
    bob: { inline: [assumePolicy('*')], mfa: { [serial('bob')]: 'ONSWG4TFOQWXGZLDOJSXILLT' } },
  },
  roles: {
    guarded: {
      trust: trust(account, { Bool: { 'aws:MultiFactorAuthPresent': 'true' } }),
      inline: [assumePolicy('*')],
    },
    fresh: { trust: trust(account, { NumericLessThan: { 'aws:MultiFactorAuthAge': '3600' } }) },
    open: { trust: trust(account) },
  },
});

let dependencies: StsDependencies;
beforeEach(() => {
  dependencies = dependenciesOf(world, { state: new MemoryState() });
});

/** RFC 4226, 5.3, written from its text. */
function codeAt(nowMs: number, secret = '12345678901234567890'): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(nowMs / 30_000)));
  const digest = createHmac('sha1', secret).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 0xf;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

interface Sent {
  readonly as?: TestCredentials;
  readonly nowMs?: number;
  readonly form?: Readonly<Record<string, string>>;
}

async function call(
  action: string,
  { as = keyOf('alice'), nowMs = testNowMs, form = {} }: Sent,
): Promise<Outcome> {
  const times = { signedAtMs: nowMs, arrivesAtMs: nowMs };
  return serve(await arrive({ Action: action, Version: version, ...form }, as, times), dependencies);
}
const withCode = (TokenCode: string, SerialNumber = serial('alice')) => ({ SerialNumber, TokenCode });
const session = (form: Readonly<Record<string, string>>, sent: Sent = {}): Promise<Outcome> =>
  call('GetSessionToken', { ...sent, form });
const assume = (
  role: string,
  form: Readonly<Record<string, string>> = {},
  sent: Sent = {},
): Promise<Outcome> => call('AssumeRole', { ...sent, form: { ...assumeRoleForm(role), ...form } });

const wrong = 'MultiFactorAuthentication failed with invalid MFA one time pass code.';

describe('one-time codes', () => {
  // RFC 6238, appendix B, the last six of its eight digits.
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
  ])('of the second %i are those of RFC 6238: %s', async (seconds, code) => {
    expect(codeAt(seconds * 1000)).toBe(code);
    if (seconds > 1_000_000_000)
      expect((await session(withCode(code), { nowMs: seconds * 1000 })).code).toBe('');
  });

  it.each([-30_000, 0, 30_000])('are valid for a clock that is %i ms off', async (drift) => {
    expect((await session(withCode(codeAt(testNowMs + drift)))).code).toBe('');
  });

  it.each([
    ['two steps old', codeAt(testNowMs - 60_000)],
    ['two steps ahead', codeAt(testNowMs + 60_000)],
    ['of another device', codeAt(testNowMs, 'secret-secret-s')],
    ['made up', '000000'],
  ])('are refused when they are %s', async (_, code) => {
    const outcome = await session(withCode(code));
    expect([outcome.code, outcome.response.status, outcome.message]).toEqual(['AccessDenied', 403, wrong]);
  });

  it.each(['12345', '1234567', 'abcdef', '12 456', ''])('are refused as %j', async (code) => {
    expect((await session(withCode(code))).code).toBe('ValidationError');
  });

  it('are valid once, for all actions together', async () => {
    const code = codeAt(testNowMs);
    expect((await session(withCode(code))).code).toBe('');
    expect((await session(withCode(code))).message).toBe(wrong);
    expect((await assume('guarded', withCode(code))).message).toBe(wrong);
    expect((await session(withCode(codeAt(testNowMs + 30_000)))).code).toBe('');
  });

  it('are valid once when they are sent many times at once', async () => {
    const code = codeAt(testNowMs);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => session(withCode(code))));
    expect(outcomes.filter((outcome) => outcome.code === '')).toHaveLength(1);
  });

  it('have to come from the calling user’s own devices', async () => {
    const code = codeAt(testNowMs);
    expect((await session(withCode(code), { as: keyOf('bob') })).message).toBe(wrong);
    expect((await session(withCode(code, serial('bob')))).message).toBe(wrong);
    expect((await session(withCode(code, serial('nobody')))).message).toBe(wrong);
    expect((await session(withCode(code), { as: keyOf('root') })).message).toBe(wrong);
    expect((await session(withCode(codeAt(testNowMs, 'abcdefghij'), serial('spare')))).code).toBe('');
  });

  it.each([{ SerialNumber: serial('alice') }, { TokenCode: '123456' }])(
    'need their device: %j',
    async (form) => {
      const outcome = await session(form);
      expect([outcome.code, outcome.message]).toEqual([
        'AccessDenied',
        'MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.',
      ]);
    },
  );

  it('lock their device for five minutes after five wrong ones in five minutes', async () => {
    const at = (minutes: number): number => testNowMs + minutes * 60_000;
    for (const minute of [0, 1, 2, 3, 4]) await session(withCode('000000'), { nowMs: at(minute) });
    expect((await session(withCode(codeAt(at(5))), { nowMs: at(5) })).message).toBe(wrong);
    expect((await session(withCode(codeAt(testNowMs, 'abcdefghij'), serial('spare')))).code).toBe('');
    expect((await session(withCode(codeAt(at(9.5))), { nowMs: at(9.5) })).code).toBe('');
  });

  it('do not lock a device after an occasional wrong one', async () => {
    const at = (minutes: number): number => testNowMs + minutes * 60_000;
    for (const minute of [0, 2, 4, 6, 8]) await session(withCode('000000'), { nowMs: at(minute) });
    expect((await session(withCode(codeAt(at(9))), { nowMs: at(9) })).code).toBe('');
  });
});

describe('a second factor', () => {
  it('counts in the trust decision of the request that proves it', async () => {
    expect((await assume('guarded')).code).toBe('AccessDenied');
    expect((await assume('guarded', withCode(codeAt(testNowMs)))).code).toBe('');
    expect((await assume('fresh')).code).toBe('AccessDenied');
    expect((await assume('fresh', withCode(codeAt(testNowMs + 30_000)))).code).toBe('');
  });

  it('stays with the session that was requested with it, and ages', async () => {
    const as = credentialsIn(await session(withCode(codeAt(testNowMs))));
    expect((await assume('guarded', {}, { as })).code).toBe('');
    expect((await assume('fresh', {}, { as, nowMs: testNowMs + 3_599_000 })).code).toBe('');
    expect((await assume('fresh', {}, { as, nowMs: testNowMs + 3_600_000 })).code).toBe('AccessDenied');
    const without = credentialsIn(await session({}));
    expect((await assume('guarded', {}, { as: without })).code).toBe('AccessDenied');
  });

  it('does not carry over to the session of a role', async () => {
    const role = credentialsIn(await assume('guarded', withCode(codeAt(testNowMs))));
    expect((await assume('guarded', {}, { as: role })).code).toBe('AccessDenied');
    expect((await assume('open', {}, { as: role })).code).toBe('');
  });

  it('cannot be proved by a session of a role', async () => {
    const role = credentialsIn(await assume('guarded', withCode(codeAt(testNowMs))));
    const outcome = await assume('open', withCode(codeAt(testNowMs + 30_000)), { as: role });
    expect(outcome.message).toBe(wrong);
  });

  it('appears in no answer and no fact', async () => {
    const outcome = await session(withCode('000000'));
    expect(JSON.stringify([outcome, document()])).not.toContain('000000');
  });
});
