import { describe, expect, it } from 'vitest';
import { samlNameQualifier } from '../../../src/identity/saml/saml-provider.ts';
import { samlNames, toBase64, writeResponse } from '../../support/saml-idp.ts';
import { createSamlWorld, nowMs, principalArn, roleArn } from './saml-world.ts';

const world = createSamlWorld();
const { idp } = world;

describe('an assertion of the provider', () => {
  it('says who it is about and what it asks for', async () => {
    const identity = await world.identify(
      idp.respond({
        sessionUntilMs: nowMs + 1_800_500,
        attributes: {
          SessionDuration: ['3600'],
          'PrincipalTag:Project': ['Blue'],
          'PrincipalTag:Cost Center': ['12'],
          TransitiveTagKeys: ['Project'],
          SourceIdentity: ['ada'],
          'urn:oid:1.3.6.1.4.1.5923.1.1.1.1': ['member', 'staff'],
          'urn:oid:unknown': ['x'],
        },
      }),
    );
    expect({ ...identity, conditionKeys: Object.fromEntries(identity.conditionKeys) }).toEqual({
      provider: 'company',
      providerArn: principalArn,
      useUp: expect.any(Function),
      issuer: idp.entityId,
      subject: 'ada@example.com',
      subjectType: 'persistent',
      recipient: 'https://signin.aws.amazon.com/saml',
      nameQualifier: samlNameQualifier(idp.entityId, '123456789012', 'company'),
      roles: [{ roleArn, principalArn }],
      sessionName: 'ada',
      maxDurationSeconds: 1800,
      tags: [
        { key: 'Project', value: 'Blue', isTransitive: true },
        { key: 'Cost Center', value: '12', isTransitive: false },
      ],
      sourceIdentity: 'ada',
      conditionKeys: {
        'saml:aud': ['https://signin.aws.amazon.com/saml'],
        'saml:iss': [idp.entityId],
        'saml:sub': ['ada@example.com'],
        'saml:sub_type': ['persistent'],
        'saml:doc': ['123456789012/company'],
        'saml:namequalifier': [identity.nameQualifier],
        'saml:edupersonaffiliation': ['member', 'staff'],
      },
    });
  });

  it('has the name qualifier that AWS documents', () => {
    expect(samlNameQualifier('https://example.com/saml', '123456789012', 'MySAMLIdP')).toBe(
      '1uAJanUnBc2XeUkHURMht+xam2c=',
    );
  });

  it.each([
    ['urn:oasis:names:tc:SAML:2.0:nameid-format:transient', 'transient'],
    [
      'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
      'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
    ],
    [undefined, 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified'],
  ])('with the format %s is about a subject of type %s', async (format, subjectType) => {
    expect((await world.identify(idp.respond({ format }))).subjectType).toBe(subjectType);
  });

  it('keeps markup that is escaped in the subject', async () => {
    const { subject } = await world.identify(idp.respond({ nameId: '<!--x--> & "ü" 𝄞' }));
    expect(subject).toBe('<!--x--> & "ü" 𝄞');
  });

  it('offers roles in either order, and nothing where it does not name a pair', async () => {
    const { roles } = await world.identify(
      idp.respond({
        attributes: { Role: [`${principalArn}, ${roleArn}`, roleArn, 'x,y', `${roleArn},${principalArn},x`] },
      }),
    );
    expect(roles).toEqual([{ roleArn, principalArn }]);
  });

  it('is accepted when the response around it is signed instead', async () => {
    const response = writeResponse(idp.assertion(), idp.entityId, nowMs);
    expect(await world.verdict(toBase64(idp.sign(response)))).toBe('accepted');
  });

  it('is accepted when both are signed, and not when one of the two signatures is wrong', async () => {
    const both = idp.sign(writeResponse(idp.sign(idp.assertion()), idp.entityId, nowMs));
    expect(await world.verdict(toBase64(both))).toBe('accepted');
    const outer = writeResponse(idp.sign(idp.assertion()), idp.entityId, nowMs);
    const wrongOuter = idp.sign(outer, { key: world.other.privateKey });
    expect(await world.verdict(toBase64(wrongOuter))).toBe('bad_signature');
    const inner = idp.sign(idp.assertion(), { key: world.other.privateKey });
    expect(await world.verdict(toBase64(idp.sign(writeResponse(inner, idp.entityId, nowMs))))).toBe(
      'bad_signature',
    );
  });

  it('may be written with white space, line ends and prefixes of its own', async () => {
    const response = writeResponse(`\r\n  ${idp.sign(idp.assertion())}\r\n`, idp.entityId, nowMs);
    const text = `\ufeff<?xml version="1.0" encoding="UTF-8"?>\r\n${response.replaceAll('samlp:', 'p:').replace('xmlns:samlp', 'xmlns:p')}\n`;
    const lines = toBase64(text).replaceAll(/.{76}/g, '$&\r\n');
    expect(await world.verdict(lines)).toBe('accepted');
  });

  it('may declare its namespaces on the response', async () => {
    // Exclusive canonicalization moves them to where they are used; the signature is over that form.
    const moved = idp
      .respond()
      .replace(/^.*$/, (text) => Buffer.from(text, 'base64').toString())
      .replaceAll(/ xmlns:(?:saml|ds)="[^"]*"/g, '')
      .replace(
        '<samlp:Response',
        `<samlp:Response xmlns:saml="${samlNames.assertion}" xmlns:ds="${samlNames.signature}" xmlns:unused="urn:x"`,
      );
    expect(await world.verdict(toBase64(moved))).toBe('accepted');
  });

  const more = 'http://www.w3.org/2001/04/xmldsig-more#';
  const pss = 'http://www.w3.org/2007/05/xmldsig-more#';
  it.each([
    `${more}rsa-sha256`,
    `${more}rsa-sha384`,
    `${more}rsa-sha512`,
    `${pss}sha256-rsa-MGF1`,
    `${pss}sha384-rsa-MGF1`,
    `${pss}sha512-rsa-MGF1`,
  ])('may be signed with %s', async (algorithm) => {
    expect(await world.verdict(idp.respond({}, { algorithm }))).toBe('accepted');
  });

  it.each(['256', '384', '512'])('may be signed with ECDSA and SHA-%s', async (bits) => {
    const elliptic = createSamlWorld({ keyType: 'ec' });
    const algorithm = `${more}ecdsa-sha${bits}`;
    expect(await elliptic.verdict(elliptic.idp.respond({}, { algorithm }))).toBe('accepted');
  });

  it('may be made a minute ahead of our clock, and is valid for five minutes', async () => {
    expect(await world.verdict(idp.respond(), nowMs - 59_000)).toBe('accepted');
    const long = { notOnOrAfterMs: nowMs + 900_000, confirmedUntilMs: nowMs + 900_000 };
    expect(await world.verdict(idp.respond(long), nowMs + 300_000)).toBe('accepted');
    expect(await world.verdict(idp.respond(long), nowMs + 300_001)).toBe('expired');
  });
});
