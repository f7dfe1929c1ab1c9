import { describe, expect, it } from 'vitest';
import { stsParameters as record, stsResponse } from '../../src/audit/sts-event.ts';
import { stsParameters } from '../../src/sts/parameters.ts';

const member = new Map([
  ['arn', 'a'],
  ['Key', 'k'],
  ['Value', 'v'],
  ['', 't'],
]);
const isRecorded = (name: string): boolean =>
  ['text', 1, [member]].some((value) => Object.keys(record({ [name]: value })).length > 0);

describe('the parameters of STS', () => {
  it('are all recorded, except secrets and what is for another service', () => {
    // A new parameter fails here: it belongs in the table of src/audit/sts-event.ts, or below.
    expect(Object.keys(stsParameters).filter((name) => !isRecorded(name))).toEqual([
      // Recorded as Policy, DurationSeconds: names of rules, not of parameters.
      'PolicyOfAnyLength',
      'OwnDurationSeconds',
      'ScopedDurationSeconds',
      // A sealed message.
      'EncodedMessage',
      // Secrets.
      'WebIdentityToken',
      'WebIdentityAccessToken',
      'Token',
      'SAMLAssertion',
      'TokenCode',
      // Refused.
      'ProvidedContexts',
    ]);
  });

  it('are cut, however long they are', () => {
    const { policy } = record({ Policy: 'x'.repeat(100_000) });
    expect(String(policy)).toHaveLength(2_049);
  });
});

describe('the result of an action', () => {
  it('has nothing of credentials but their id and their end', () => {
    const credentials = {
      AccessKeyId: 'ASIA',
      SecretAccessKey: 'secret',
      SessionToken: 'token',
      Expiration: new Date('2026-11-30T00:05:09Z'),
    };
    expect(stsResponse({ Credentials: credentials, SessionTokenSize: 5, Unknown: 'x' })).toEqual({
      credentials: { accessKeyId: 'ASIA', expiration: 'Nov 30, 2026, 12:05:09 AM' },
    });
  });

  it('is not recorded when it issues nothing', () => {
    expect(stsResponse({ Arn: 'a', UserId: 'b', DecodedMessage: 'c' })).toBeNull();
  });
});
