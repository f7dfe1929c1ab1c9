import { randomBytes, randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { packedPolicySize } from '../../src/sts/packed-policy-size.ts';
import { createKeyRing } from '../../src/tokens/key-ring.ts';
import { SessionOpener } from '../../src/tokens/open.ts';
import { maxTokenLength, sealSession } from '../../src/tokens/seal.ts';
import type { SessionClaims, SessionTag } from '../../src/tokens/session-claims.ts';

const ring = createKeyRing(
  [{ id: 'k'.repeat(64), secret: new Secret(randomBytes(32).toString('base64')) }],
  'k'.repeat(64),
);

/** Text that does not compress: of 64 ASCII letters, or of 20,000 letters that take three bytes each. */
const ascii = (length: number): string =>
  Array.from(
    { length },
    () => 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-'[randomInt(64)],
  ).join('');
const wide = (length: number): string =>
  Array.from({ length }, () => String.fromCodePoint(0x4e00 + randomInt(20_000))).join('');

/** As many tags as fit, the last of them cut so that the packed size is as near to 100 % as it gets. */
function fullTags(
  text: (length: number) => string,
  policy: string | undefined,
  policyArns: readonly string[],
): SessionTag[] {
  const tags: SessionTag[] = [];
  const fits = (more: SessionTag): boolean =>
    (packedPolicySize({ policy, policyArns, tags: [...tags, more] }) ?? 0) <= 100;
  while (tags.length < 50) {
    const key = text(128);
    const value = text(256);
    let length = 256;
    while (length >= 0 && !fits({ key, value: value.slice(0, length), isTransitive: true })) length -= 8;
    if (length < 0) break;
    tags.push({ key, value: value.slice(0, length), isTransitive: tags.length % 2 === 0 });
    if (length < 256) break;
  }
  return tags;
}

type Vouched = NonNullable<SessionClaims['federation']>;

/** What vouches for a session, in the longest words that the configuration and the checks of tokens and assertions allow. */
const byToken = (text: (length: number) => string): Vouched => ({
  provider: `arn:aws-us-gov:iam::123456789012:oidc-provider/${ascii(247)}`,
  subject: text(255),
  audience: ascii(255),
});
const byAssertion = (text: (length: number) => string): Vouched => ({
  provider: `arn:aws-us-gov:iam::123456789012:saml-provider/${ascii(64)}`,
  subject: text(255),
  audience: ascii(255),
  saml: { subjectType: ascii(128), nameQualifier: ascii(28) },
});

/** Everything that is not counted in the packed size, as long as it may be. */
function longest(
  text: (length: number) => string,
  vouched: typeof byToken,
): Omit<SessionClaims, 'tags' | 'policyArns' | 'policy'> {
  return {
    sessionId: randomBytes(16).toString('base64url'),
    accessKeyId: `ASIA${ascii(16)}`,
    seed: randomBytes(32),
    principal: {
      kind: 'role-session',
      roleArn: `arn:aws-us-gov:iam::123456789012:role/${ascii(510)}/${ascii(64)}`,
      roleId: `AROA${ascii(60)}`,
      sessionName: ascii(64),
    },
    issuedAt: 1_700_000_000,
    expiresAt: 1_731_536_000,
    sourceIdentity: ascii(64),
    mfaAuthenticatedAt: 1_700_000_000,
    federation: vouched(text),
  };
}

const arns = Array.from({ length: 10 }, () => `arn:aws:iam::123456789012:policy/${ascii(90)}`);
const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${ascii(700)}"}]}`;

describe('a token with every limit used', () => {
  it.each([
    ['tags of letters', ascii, undefined, []],
    ['tags of letters that take three bytes', wide, undefined, []],
    ['policies, ARNs and tags', ascii, policy, arns],
    ['policies, ARNs and wide tags', wide, policy, arns],
  ])('fits a header: %s', async (_, text, inline, policyArns) => {
    for (let attempt = 0; attempt < 6; attempt += 1) {
      const tags = fullTags(text, inline, policyArns);
      expect(packedPolicySize({ policy: inline, policyArns, tags })).toBeGreaterThanOrEqual(99);
      const claims: SessionClaims = {
        ...longest(text, attempt % 2 === 0 ? byToken : byAssertion),
        policyArns,
        tags,
        ...(inline === undefined ? {} : { policy: inline }),
      };
      const token = sealSession(claims, ring);
      expect(token.length).toBeLessThanOrEqual(maxTokenLength);
      expect(token.length).toBeGreaterThan(6000);
      expect((await new SessionOpener(ring).open(token))?.claims).toEqual({
        tokenKeys: [ring.sealWith.id],
        ...claims,
        seed: new Uint8Array(claims.seed),
      });
    }
  });

  it.each([
    ['a token', byToken],
    ['an assertion', byAssertion],
  ])('opens again when it packs as well as it can: %s', async (_, vouched) => {
    const tags = Array.from({ length: 50 }, (_, index) => ({
      key: `${index}`.padEnd(128, '世'),
      value: '世'.repeat(256),
      isTransitive: true,
    }));
    const wideLetters = (length: number): string => '世'.repeat(length);
    const claims: SessionClaims = {
      ...longest(wideLetters, vouched),
      policy: '"'.repeat(2048),
      policyArns: [],
      tags,
    };
    expect((await new SessionOpener(ring).open(sealSession(claims, ring)))?.claims.tags).toEqual(tags);
  });

  it.each([
    ['a subject that begins beyond U+FFFF', '\u{1f600}', 253],
    ['a subject that ends beyond U+FFFF', '', 253, '\u{1f600}'],
    ['a subject of quotation marks', '"],"p":', 200],
    ['a subject that consists of lone surrogates', '\ud83d\ud83d', 253],
  ])('opens to the very claims that were sealed: %s', async (_, start, length, end = '') => {
    for (const vouched of [byToken, byAssertion]) {
      const whole = longest(wide, vouched);
      const { federation = vouched(wide) } = whole;
      const claims: SessionClaims = {
        ...whole,
        federation: { ...federation, subject: `${start}${wide(length)}${end}` },
        policyArns: [],
        tags: fullTags(wide, undefined, []),
      };
      const opened = await new SessionOpener(ring).open(sealSession(claims, ring));
      expect(opened?.claims).toEqual({
        ...claims,
        seed: new Uint8Array(claims.seed),
        tokenKeys: [ring.sealWith.id],
      });
    }
  });
});
