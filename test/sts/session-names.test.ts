import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assumedRoleArn } from '../../src/authenticate/caller.ts';
import { sessionNameOf } from '../../src/sts/session-name.ts';

const form = /^[\w+=,.@-]{1,64}$/;
const digest = /-[\w-]{10}$/;

describe('the session name of a subject', () => {
  it.each([
    'Alice',
    'alice@example.com',
    'svc-production',
    '550e8400-e29b-41d4-a716-446655440000',
    'google-oauth2,103547991597142817347',
    'x'.repeat(64),
  ])('is the subject itself where a name may hold it: %s', (subject) => {
    expect(sessionNameOf(subject)).toBe(subject);
  });

  it.each([
    ['Zoë', /^Zo--/],
    ['auth0|5f7c8ec7c33c6c004bbafe82', /^auth0-5f7c8ec7c33c6c004bbafe82-/],
    ['李明', /^---/],
    ['system:serviceaccount:apps:web', /^system-serviceaccount-apps-web-/],
    ['x'.repeat(65), /^x{53}-/],
    ['ä'.repeat(255), /^-{54}/],
  ])('ends in a digest where characters are replaced or cut: %s', (subject, start) => {
    const name = sessionNameOf(subject);
    expect(name).toMatch(start);
    expect(name).toMatch(form);
    expect(name).toMatch(digest);
    expect(sessionNameOf(subject)).toBe(name);
  });

  it.each([
    ['Zoë', 'Zoé'],
    ['李明', '王芳'],
    ['é', 'e\u0301'],
    ['a b', 'a/b'],
    ['a b', 'a-b'],
    [`${'x'.repeat(64)}1`, `${'x'.repeat(64)}2`],
    [`${'x'.repeat(64)}1`, 'x'.repeat(64)],
    // Not the same text, although UTF-8 writes both alike.
    ['\ud800', '\ud801'],
    ['🔑', '🔒'],
  ])('of %j is not that of %j', (one, other) => {
    expect(sessionNameOf(one)).not.toBe(sessionNameOf(other));
  });

  it('cannot be obtained by a subject that equals the session name of another', () => {
    for (const subject of ['Zoë', '李明', 'auth0|1', 'x'.repeat(100)]) {
      const name = sessionNameOf(subject);
      expect(sessionNameOf(name)).not.toBe(name);
    }
  });

  it('belongs to one subject alone', () => {
    const subject = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }),
      fc.string({ unit: fc.constantFrom('a', '-', 'ä', 'é', '/', '1', 'B'), minLength: 1, maxLength: 70 }),
    );
    const taken = new Map<string, string>();
    const check = (one: string): void => {
      const name = sessionNameOf(one);
      expect(name).toMatch(form);
      const role = { account: { id: '123456789012', partition: 'aws' }, name: 'plugin' };
      const arn = assumedRoleArn(role, name);
      expect(taken.get(arn) ?? one).toBe(one);
      taken.set(arn, one);
    };
    fc.assert(
      fc.property(subject, (one) => {
        check(one);
        check(sessionNameOf(one));
      }),
      { numRuns: 2000 },
    );
  });
});
