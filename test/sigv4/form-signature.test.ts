import { describe, expect, it } from 'vitest';
import { AuthenticationFault } from '../../src/core/authentication-fault.ts';
import { Secret } from '../../src/core/secret.ts';
import { readFormSignature, verifyFormSignature } from '../../src/sigv4/form-signature.ts';
import { SigningKeyCache } from '../../src/sigv4/signing-key.ts';
import { toRawRequest } from '../support/raw-requests.ts';
import documented from '../vectors/sigv4/post-form.json' with { type: 'json' };

const keys = new SigningKeyCache();

/** The reason a form is refused, or `accepted`. */
function verdict(
  change: Record<string, string | undefined> = {},
  { secret = documented.secretAccessKey, receivedAt = documented.receivedAt } = {},
): string {
  const raw = toRawRequest({ method: 'POST', target: '/', headers: [] }, Date.parse(receivedAt));
  if (raw === undefined) throw new Error('unreadable');
  const fields = new Map(
    Object.entries({ ...documented.fields, ...change }).filter(
      (field): field is [string, string] => field[1] !== undefined,
    ),
  );
  try {
    verifyFormSignature(readFormSignature(raw, fields), new Secret(secret), keys);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof AuthenticationFault)) throw error;
    expect(JSON.stringify(error.facts)).not.toContain(documented.fields['x-amz-signature']);
    return error.reason;
  }
}

describe('the documented form', () => {
  it('is accepted', () => {
    expect(verdict()).toBe('accepted');
  });

  it('is refused with any byte of its policy or signature changed', () => {
    for (const name of ['policy', 'x-amz-signature'] as const) {
      const value = documented.fields[name];
      for (let at = 0; at < value.length; at += 1) {
        const other = value.charAt(at) === 'a' ? 'b' : 'a';
        expect(verdict({ [name]: value.slice(0, at) + other + value.slice(at + 1) })).toBe(
          'signature_mismatch',
        );
      }
    }
  });

  it.each<[string, Record<string, string | undefined>, string]>([
    ['a policy', { policy: undefined }, 'malformed_form'],
    ['an empty policy', { policy: '' }, 'malformed_form'],
    [
      'a signature in capitals',
      { 'x-amz-signature': documented.fields['x-amz-signature'].toUpperCase() },
      'malformed_form',
    ],
    [
      'a credential of another day',
      { 'x-amz-credential': 'AKIAIOSFODNN7EXAMPLE/20151228/us-east-1/s3/aws4_request' },
      'malformed_form',
    ],
    [
      'a credential of another region',
      { 'x-amz-credential': 'AKIAIOSFODNN7EXAMPLE/20151229/eu-west-1/s3/aws4_request' },
      'signature_mismatch',
    ],
    [
      'a credential for another service',
      { 'x-amz-credential': 'AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/sts/aws4_request' },
      'malformed_form',
    ],
    ['a date of another form', { 'x-amz-date': '2015-12-29' }, 'malformed_form'],
    ['another algorithm', { 'x-amz-algorithm': 'AWS4-HMAC-SHA512' }, 'malformed_form'],
    ['Signature V4A', { 'x-amz-algorithm': 'AWS4-ECDSA-P256-SHA256' }, 'signature_v4a'],
    ['Signature V2', { signature: 'x' }, 'signature_v2'],
  ])('is refused for %s', (_, change, reason) => {
    expect(verdict(change)).toBe(reason);
  });

  it('is refused without any of the fields that sign it', () => {
    const none = ['policy', 'x-amz-algorithm', 'x-amz-credential', 'x-amz-date', 'x-amz-signature'];
    expect(verdict(Object.fromEntries(none.map((name) => [name, undefined])))).toBe('no_credentials');
    for (const name of none) expect(verdict({ [name]: undefined })).toBe('malformed_form');
    const all = Object.fromEntries(none.map((name) => [name, undefined]));
    expect(verdict({ ...all, policy: documented.fields.policy })).toBe('no_credentials');
    for (const name of none.slice(1))
      expect(verdict({ ...all, [name]: documented.fields[name as keyof typeof documented.fields] })).toBe(
        'malformed_form',
      );
  });

  it('is refused with another secret', () => {
    expect(verdict({}, { secret: 'other' })).toBe('signature_mismatch');
  });

  it('is used from a quarter of an hour before its date, for a week', () => {
    const at = (receivedAt: string): string => verdict({}, { receivedAt });
    expect(at('2015-12-28T23:44:59Z')).toBe('presigned_not_yet_valid');
    expect(at('2015-12-28T23:45:00Z')).toBe('accepted');
    expect(at('2016-01-05T00:00:00Z')).toBe('accepted');
    expect(at('2016-01-05T00:00:01Z')).toBe('presigned_expired');
  });
});
