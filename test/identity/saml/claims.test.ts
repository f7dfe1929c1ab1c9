import { describe, expect, it } from 'vitest';
import { StateError } from '../../../src/state/shared-state.ts';
import type { AssertionFacts } from '../../support/saml-idp.ts';
import { samlNames, toBase64, writeResponse } from '../../support/saml-idp.ts';
import { createSamlWorld, nowMs, principalArn, roleArn } from './saml-world.ts';

const world = createSamlWorld();
const { idp } = world;

/** A response whose assertion is changed before it is signed. */
const signedWith = (change: (xml: string) => string, facts: Partial<AssertionFacts> = {}): string => {
  const assertion = idp.assertion(facts);
  const changed = change(assertion);
  expect(changed).not.toBe(assertion);
  return toBase64(writeResponse(idp.sign(changed), idp.entityId, nowMs));
};
const replaced = (from: string | RegExp, to: string) => (xml: string) => xml.replace(from, to);

describe('times of an assertion', () => {
  it.each<[string, Partial<AssertionFacts>, string]>([
    ['is over', { notOnOrAfterMs: nowMs - 1 }, 'expired'],
    ['is over this very millisecond', { notOnOrAfterMs: nowMs }, 'expired'],
    ['is no longer confirmed', { confirmedUntilMs: nowMs }, 'expired'],
    [
      'was made over five minutes ago',
      { issuedAtMs: nowMs - 300_001, notOnOrAfterMs: nowMs + 1, confirmedUntilMs: nowMs + 1 },
      'expired',
    ],
    ['belongs to a session that is over', { sessionUntilMs: nowMs }, 'expired'],
    ['belongs to a session of half a second', { sessionUntilMs: nowMs + 500 }, 'expired'],
    ['has not begun', { notBeforeMs: nowMs + 61_000 }, 'not_yet_valid'],
    ['was made in the future', { issuedAtMs: nowMs + 61_000, notBeforeMs: nowMs }, 'not_yet_valid'],
    ['is confirmed without an end', { confirmedUntilMs: undefined }, 'bad_claims'],
  ])('refuse one that %s', async (_, facts, reason) => {
    expect(await world.verdict(idp.respond(facts))).toBe(reason);
  });

  it('refuse one that is not confirmed yet', async () => {
    const change = replaced('<saml:SubjectConfirmationData', '$& NotBefore="2026-11-23T10:02:00Z"');
    expect(await world.verdict(signedWith(change))).toBe('not_yet_valid');
  });

  it.each([
    ['no time of issue', replaced(/ IssueInstant="[^"]*"/, '')],
    [
      'a time of issue without a zone',
      replaced(/IssueInstant="[^"]*"/, 'IssueInstant="2026-11-23T10:00:00"'),
    ],
    [
      'a time of issue in another zone',
      replaced(/IssueInstant="[^"]*"/, 'IssueInstant="2026-11-23T10:00:00+00:00"'),
    ],
    ['a date that does not exist', replaced(/NotOnOrAfter="[^"]*"/, 'NotOnOrAfter="2027-02-30T10:00:00Z"')],
    ['an end that is not a time', replaced(/NotOnOrAfter="[^"]*"/, 'NotOnOrAfter="never"')],
    ['an empty end', replaced(/NotOnOrAfter="[^"]*"/, 'NotOnOrAfter=""')],
  ])('refuse one with %s', async (_, change) => {
    expect(await world.verdict(signedWith(change))).toBe('bad_claims');
  });

  it('may have seven decimal digits of a second', async () => {
    const change = replaced(/IssueInstant="[^"]*"/, 'IssueInstant="2026-11-23T09:59:59.1234567Z"');
    expect(await world.verdict(signedWith(change))).toBe('accepted');
  });

  it('give the messages of AWS for expired ones', async () => {
    const old = { issuedAtMs: nowMs - 300_001, notOnOrAfterMs: nowMs + 1, confirmedUntilMs: nowMs + 1 };
    await expect(world.identify(idp.respond(old))).rejects.toThrow(
      'Token must be redeemed within 5 minutes of issuance',
    );
    const seconds = nowMs / 1000;
    await expect(world.identify(idp.respond({ notOnOrAfterMs: nowMs }))).rejects.toThrow(
      `Token expired: current date/time ${seconds} must be before the expiration date/time ${seconds}`,
    );
  });
});

describe('audience, recipient and issuer of an assertion', () => {
  const unaudienced = replaced(/<saml:AudienceRestriction>.*<\/saml:AudienceRestriction>/, '');
  it.each<[string, string, string]>([
    ['another recipient', idp.respond({ recipient: 'https://signin.example.com/saml' }), 'wrong_audience'],
    [
      'a part of the recipient',
      idp.respond({ recipient: 'https://signin.aws.amazon.com/' }),
      'wrong_audience',
    ],
    [
      'a recipient that goes on',
      idp.respond({ recipient: 'https://signin.aws.amazon.com/saml/' }),
      'wrong_audience',
    ],
    ['no recipient', signedWith(replaced(/ Recipient="[^"]*"/, '')), 'wrong_audience'],
    ['another audience', idp.respond({ audience: 'urn:other' }), 'wrong_audience'],
    [
      'the audience in another letter case',
      idp.respond({ audience: 'URN:amazon:webservices' }),
      'wrong_audience',
    ],
    ['an empty audience', idp.respond({ audience: '' }), 'wrong_audience'],
    ['no restriction to an audience', signedWith(unaudienced), 'wrong_audience'],
    [
      'a second restriction, to another audience',
      signedWith(
        replaced(
          '</saml:Conditions>',
          '<saml:AudienceRestriction><saml:Audience>urn:other</saml:Audience></saml:AudienceRestriction></saml:Conditions>',
        ),
      ),
      'wrong_audience',
    ],
    ['no conditions', signedWith(replaced(/<saml:Conditions.*<\/saml:Conditions>/, '')), 'bad_claims'],
    ['conditions twice', signedWith(replaced(/<saml:Conditions.*<\/saml:Conditions>/, '$&$&')), 'bad_claims'],
    [
      'an unknown condition',
      signedWith(replaced('</saml:Conditions>', '<saml:Condition></saml:Condition></saml:Conditions>')),
      'bad_claims',
    ],
    ['another issuer', idp.respond({ issuer: 'https://other.example.com' }), 'unknown_issuer'],
    ['an issuer that goes on', idp.respond({ issuer: `${idp.entityId}/` }), 'unknown_issuer'],
    [
      'no issuer',
      toBase64(
        idp.sign(
          writeResponse(idp.assertion().replace(/<saml:Issuer>.*<\/saml:Issuer>/, ''), idp.entityId, nowMs),
        ),
      ),
      'unknown_issuer',
    ],
    [
      'a response of another issuer',
      toBase64(writeResponse(idp.sign(idp.assertion()), 'https://other.example.com', nowMs)),
      'unknown_issuer',
    ],
  ])('refuses %s', async (_, assertion, reason) => {
    expect(await world.verdict(assertion)).toBe(reason);
  });

  it('accepts an audience among several, and other recipients where they are configured', async () => {
    const among = replaced('<saml:Audience>', '<saml:Audience>urn:other</saml:Audience><saml:Audience>');
    expect(await world.verdict(signedWith(among))).toBe('accepted');
    const settings = { recipients: ['https://sts.example.com/saml'], audiences: ['urn:sts', 'urn:x'] };
    const configured = createSamlWorld({ settings });
    const ours = { recipient: 'https://sts.example.com/saml', audience: 'urn:sts' };
    expect(await configured.verdict(configured.idp.respond(ours))).toBe('accepted');
    expect(await configured.verdict(configured.idp.respond())).toBe('wrong_audience');
  });

  it('refuses providers that do not exist', async () => {
    const failing = createSamlWorld();
    const unknown = { reason: 'unknown_issuer', message: "Specified provider doesn't exist" };
    expect(await failing.verdict(failing.other.respond())).toBe('unknown_issuer');
    for (const arn of [
      '',
      'company',
      `${principalArn}2`,
      principalArn.toUpperCase(),
      principalArn.replace('saml', 'oidc'),
    ]) {
      await expect(failing.identifyBy(arn, failing.idp.respond())).rejects.toMatchObject(unknown);
    }
  });
});

describe('the subject', () => {
  const confirmation = /<saml:SubjectConfirmation .*<\/saml:SubjectConfirmation>/;
  it.each<[string, (xml: string) => string]>([
    ['missing', replaced(/<saml:Subject>.*<\/saml:Subject>/, '')],
    ['twice', replaced(/<saml:Subject>.*<\/saml:Subject>/, '$&$&')],
    ['without a name', replaced(/<saml:NameID.*<\/saml:NameID>/, '')],
    ['with two names', replaced(/<saml:NameID.*<\/saml:NameID>/, '$&$&')],
    ['with an empty name', replaced('ada@example.com<', '<')],
    ['with a blank name', replaced('ada@example.com<', ' \n <')],
    ['with an element in its name', replaced('ada@example.com<', 'ada<x></x>@example.com<')],
    ['with a name of 257 characters', replaced('ada@example.com<', `${'x'.repeat(257)}<`)],
    ['with a format of 129 characters', replaced(/ Format="[^"]*"/, ` Format="urn:${'x'.repeat(125)}"`)],
    [
      'with a name of another namespace',
      replaced(/<saml:NameID( [^>]*)>(.*)<\/saml:NameID>/, '<NameID$1>$2</NameID>'),
    ],
    ['without confirmation', replaced(confirmation, '')],
    ['confirmed otherwise', replaced('cm:bearer', 'cm:holder-of-key')],
    [
      'confirmed without data',
      replaced(/<saml:SubjectConfirmationData.*<\/saml:SubjectConfirmationData>/, ''),
    ],
    ['without an authentication', replaced(/<saml:AuthnStatement.*<\/saml:AuthnStatement>/, '')],
  ])('is refused: %s', async (_, change) => {
    expect(await world.verdict(signedWith(change))).toMatch(/^(?:bad_claims|wrong_audience)$/);
  });

  it('may be confirmed by one of several', async () => {
    const several = replaced(
      confirmation,
      '<saml:SubjectConfirmation Method="urn:x"></saml:SubjectConfirmation>$&',
    );
    expect(await world.verdict(signedWith(several))).toBe('accepted');
  });

  it('is never altered by a comment', async () => {
    const split = (text: string): string =>
      text.replace('ada@example.com', 'ada@example.com<!---->.evil.example');
    const signed = Buffer.from(idp.respond({ nameId: 'ada@example.com.evil.example' }), 'base64').toString();
    const cut = signed.replace('ada@example.com.evil', 'ada@example.com<!---->.evil');
    expect(cut).not.toBe(signed);
    expect(await world.verdict(toBase64(cut))).toBe('malformed');
    expect(await world.verdict(signedWith(split))).toBe('malformed');
  });
});

describe('the attributes', () => {
  it.each<[string, Readonly<Record<string, readonly string[] | undefined>>]>([
    ['no session name', { RoleSessionName: undefined }],
    ['a session name without a value', { RoleSessionName: [] }],
    ['two session names', { RoleSessionName: ['ada', 'eve'] }],
    ['a session name with a slash', { RoleSessionName: ['ada/x'] }],
    ['a session name of one letter', { RoleSessionName: ['a'] }],
    ['a session name of 65 letters', { RoleSessionName: ['a'.repeat(65)] }],
    ['a session name with a line end', { RoleSessionName: ['ada\n'] }],
    ['a duration that is not a number', { SessionDuration: ['1h'] }],
    ['a duration with a sign', { SessionDuration: ['-3600'] }],
    ['a duration of less than 15 minutes', { SessionDuration: ['899'] }],
    ['a duration of more than a year', { SessionDuration: ['31536001'] }],
    ['two durations', { SessionDuration: ['900', '3600'] }],
    ['a source identity of AWS', { SourceIdentity: ['aws:x'] }],
    ['a source identity with a space', { SourceIdentity: ['a b'] }],
    ['two source identities', { SourceIdentity: ['ada', 'eve'] }],
    ['a tag with two values', { 'PrincipalTag:a': ['1', '2'] }],
    ['a tag without a value', { 'PrincipalTag:a': [] }],
    ['a tag without a key', { 'PrincipalTag:': ['1'] }],
    ['a tag that cannot be one', { 'PrincipalTag:a': ['1*'] }],
    ['tags that differ only in case', { 'PrincipalTag:a': ['1'], 'PrincipalTag:A': ['1'] }],
    ['a value of 257 letters', { 'PrincipalTag:a': ['1'.repeat(257)] }],
    [
      '51 tags',
      Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`PrincipalTag:k${index}`, ['v']])),
    ],
    ['a transitive key that is not a tag', { TransitiveTagKeys: ['a'] }],
    ['a tag of AWS', { 'PrincipalTag:aws:a': ['1'] }],
    ['a tag of AWS in another letter case', { 'PrincipalTag:AWS:a': ['1'] }],
  ])('are refused with %s', async (_, attributes) => {
    expect(await world.verdict(idp.respond({ attributes }))).toBe('bad_claims');
  });

  it('are refused with an element as a value only where the value has a meaning here', async () => {
    const nested = replaced(`${roleArn},${principalArn}`, '<x>1</x>');
    expect(await world.verdict(signedWith(nested))).toBe('bad_claims');
    const elsewhere = 'urn:oid:1.3.6.1.4.1.5923.1.1.1.10';
    const targeted = signedWith(replaced('>TARGET<', '><x>1</x><'), {
      attributes: { [elsewhere]: ['TARGET', 'second'] },
    });
    expect((await world.identify(targeted)).conditionKeys.get('saml:edupersontargetedid')).toEqual([
      'second',
    ]);
  });

  it('compare the keys of tags ignoring case', async () => {
    const attributes = { 'PrincipalTag:Team': ['blue'], TransitiveTagKeys: ['TEAM'] };
    const { tags } = await world.identify(idp.respond({ attributes }));
    expect(tags).toEqual([{ key: 'Team', value: 'blue', isTransitive: true }]);
  });

  it('have names that are compared exactly', async () => {
    const lower = signedWith((xml) =>
      xml.replace(`${samlNames.attributes}Role"`, `${samlNames.attributes}role"`),
    );
    expect((await world.identify(lower)).roles).toEqual([]);
  });

  it('without a condition key of their own do not replace those of the subject', async () => {
    const { conditionKeys } = await world.identify(
      idp.respond({ attributes: { 'urn:saml:sub': ['eve'], 'urn:sub': ['eve'] } }),
    );
    expect(conditionKeys.get('saml:sub')).toEqual(['ada@example.com']);
    expect([...conditionKeys.keys()].filter((key) => !key.startsWith('saml:'))).toEqual([]);
  });
});

describe('an assertion that was used', () => {
  it('is refused from then on, in whatever response it comes', async () => {
    const assertion = idp.sign(idp.assertion());
    const once = toBase64(writeResponse(assertion, idp.entityId, nowMs));
    expect(await world.verdict(once)).toBe('accepted');
    expect(await world.verdict(once)).toBe('replayed');
    expect(await world.verdict(once, nowMs + 299_000)).toBe('replayed');
    expect(await world.verdict(toBase64(writeResponse(assertion, idp.entityId, nowMs, '_another')))).toBe(
      'replayed',
    );
    expect(await world.verdict(toBase64(idp.sign(writeResponse(assertion, idp.entityId, nowMs))))).toBe(
      'replayed',
    );
  });

  it('is accepted once when it comes many times at once', async () => {
    const assertion = idp.respond();
    const verdicts = await Promise.all(Array.from({ length: 10 }, () => world.verdict(assertion)));
    expect(verdicts.filter((verdict) => verdict === 'accepted')).toHaveLength(1);
  });

  it('is not used up by a fault in it', async () => {
    const long = { notOnOrAfterMs: nowMs + 900_000, confirmedUntilMs: nowMs + 900_000 };
    const assertion = idp.respond(long);
    expect(await world.verdict(assertion, nowMs - 120_000)).toBe('not_yet_valid');
    expect(await world.verdict(assertion)).toBe('accepted');
  });

  it('is remembered until it is too old by every clock', async () => {
    const remembered: [string, number][] = [];
    const used = {
      useOnce: async (id: string, untilMs: number): Promise<boolean> => {
        remembered.push([id, untilMs]);
        return true;
      },
    };
    const watched = createSamlWorld({ used });
    await watched.identify(watched.idp.respond());
    expect(remembered).toEqual([[expect.stringMatching(/^saml:[\w-]{43}$/), nowMs + 360_000]]);
  });

  it('is refused when its use is unknown', async () => {
    const used = { useOnce: () => Promise.reject(new StateError('nothing is known')) };
    const blind = createSamlWorld({ used });
    await expect(blind.identify(blind.idp.respond())).rejects.toThrow(StateError);
  });
});
