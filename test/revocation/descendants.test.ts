import { describe, expect, it } from 'vitest';
import { RevocationIndex } from '../../src/revocation/revocation-index.ts';
import { revocationKey } from '../../src/revocation/revocation-key.ts';
import type { SessionClaims } from '../../src/tokens/session-claims.ts';

const issuer = 'arn:aws:iam::123456789012:oidc-provider/idp.example.com';
const user = 'arn:aws:iam::123456789012:user/alice';
const web = 'arn:aws:iam::123456789012:role/web';
const next = 'arn:aws:iam::123456789012:role/next';

/** A session of `next`, which a session of `web` assumed, which the holder of a token and a session of a user stand before. */
const claims: SessionClaims = {
  sessionId: 'own',
  accessKeyId: 'ASIAX',
  seed: new Uint8Array(32),
  principal: { kind: 'role-session', roleArn: next, roleId: 'AROANEXT', sessionName: 'child' },
  issuedAt: 3_000,
  expiresAt: 6_600,
  policyArns: [],
  tags: [],
  ancestors: [
    {
      sessionId: 'parent',
      issuedAt: 2_000,
      principal: { kind: 'role-session', roleArn: web, sessionName: 'pod' },
      provider: issuer,
    },
    { sessionId: 'grandparent', issuedAt: 1_000, principal: { kind: 'user-session', userArn: user } },
  ],
};

const revokes = (key: string, issuedBeforeMs?: number): boolean =>
  new RevocationIndex([{ keys: [key], issuedBeforeMs }]).revokes(claims);

describe('a session that descends from others', () => {
  it.each([
    ['its own id', revocationKey.session('own')],
    ['the id of its parent', revocationKey.session('parent')],
    ['the id of an older ancestor', revocationKey.session('grandparent')],
    ['the role of its parent', revocationKey.role(web)],
    ['the session of that role', revocationKey.roleSession(web, 'pod')],
    ['the provider of its parent', revocationKey.provider(issuer)],
    ['the user of an ancestor', revocationKey.user(user)],
  ])('is ended by %s', (_, key) => {
    expect(revokes(key)).toBe(true);
  });

  it.each([
    ['another session', revocationKey.session('other')],
    ['another session of the role', revocationKey.roleSession(web, 'child')],
    ['another role', revocationKey.role(`${web}2`)],
    ['another provider', revocationKey.provider(`${issuer}/2`)],
    ['another user', revocationKey.user(`${user}2`)],
  ])('is not ended by %s', (_, key) => {
    expect(revokes(key)).toBe(false);
  });

  it('is ended by a time that only an ancestor is older than', () => {
    expect(revokes(revocationKey.everybody, 1_000_000)).toBe(false);
    expect(revokes(revocationKey.everybody, 1_000_001)).toBe(true);
    expect(revokes(revocationKey.role(web), 2_000_000)).toBe(false);
    expect(revokes(revocationKey.role(web), 2_000_001)).toBe(true);
    expect(revokes(revocationKey.role(next), 2_500_000)).toBe(false);
  });
});
