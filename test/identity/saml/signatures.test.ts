import { createHash, createHmac, createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { selfSigned } from '../../support/certificates.ts';
import { rsaKey } from '../../support/keys.ts';
import { samlNames, toBase64, writeResponse } from '../../support/saml-idp.ts';
import { createSamlWorld, nowMs } from './saml-world.ts';

const world = createSamlWorld();
const { idp, other } = world;
const foreign = rsaKey('foreign');
const more = 'http://www.w3.org/2001/04/xmldsig-more#';
const sha256 = 'http://www.w3.org/2001/04/xmlenc#sha256';
const c14n = samlNames.exclusive;

/** The response as it stands, changed behind the provider's back. */
async function altered(change: (xml: string) => string): Promise<string> {
  const xml = Buffer.from(idp.respond(), 'base64').toString();
  const changed = change(xml);
  expect(changed).not.toBe(xml);
  return world.verdict(toBase64(changed));
}

describe('what is signed', () => {
  it.each<[string, (xml: string) => string]>([
    ['the subject', (xml) => xml.replace('ada@example.com', 'eve@example.com')],
    ['one letter of the role', (xml) => xml.replace('role/analyst', 'role/Analyst')],
    ['the time of issue', (xml) => xml.replace(/(<saml:Assertion [^>]*IssueInstant=")\d{4}/, '$12027')],
    [
      'the time of the conditions',
      (xml) => xml.replace(/(<saml:Conditions [^>]*NotOnOrAfter=")\d{4}/, '$12027'),
    ],
    ['the identifier and the reference to it', (xml) => xml.replaceAll(/_assertion-\d+/g, '_assertion-x')],
    ['the recipient', (xml) => xml.replace('signin.aws.amazon.com', 'signin.aws.amazon.net')],
    [
      'an attribute that is added',
      (xml) =>
        xml.replace(
          '</saml:AttributeStatement>',
          '<saml:Attribute Name="x"><saml:AttributeValue>y</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>',
        ),
    ],
    ['white space that is added', (xml) => xml.replace('<saml:Subject>', '<saml:Subject> ')],
    ['the digest', (xml) => xml.replace(/<ds:DigestValue>./, '<ds:DigestValue>')],
    ['the signature value', (xml) => xml.replace(/<ds:SignatureValue>..../, '<ds:SignatureValue>AAAA')],
    [
      'the signature value, left empty',
      (xml) => xml.replace(/<ds:SignatureValue>[^<]*/, '<ds:SignatureValue>'),
    ],
    [
      'the name of the digest',
      (xml) => xml.replace(`DigestMethod Algorithm="${sha256}"`, `DigestMethod Algorithm="${more}sha384"`),
    ],
    ['the name of the algorithm', (xml) => xml.replace(`${more}rsa-sha256`, `${more}rsa-sha512`)],
    [
      'the canonicalization',
      (xml) =>
        xml.replace(
          `CanonicalizationMethod Algorithm="${c14n}"`,
          `CanonicalizationMethod Algorithm="${samlNames.inclusive}"`,
        ),
    ],
  ])('cannot be changed: %s', async (_, change) => {
    expect(await altered(change)).toBe('bad_signature');
  });

  it('cannot be changed together with its digest', async () => {
    const verdict = await altered((xml) => {
      const evil = xml.replace('ada@example.com', 'eve@example.com');
      const bare =
        /<saml:Assertion.*<\/saml:Assertion>/s
          .exec(evil)?.[0]
          .replace(/<ds:Signature .*<\/ds:Signature>/s, '') ?? '';
      const digest = createHash('sha256').update(bare).digest('base64');
      return evil.replace(/<ds:DigestValue>[^<]*/, `<ds:DigestValue>${digest}`);
    });
    expect(verdict).toBe('bad_signature');
  });
});

describe('a signature', () => {
  it('is required: a document without it is refused', async () => {
    expect(await world.verdict(toBase64(writeResponse(idp.assertion(), idp.entityId, nowMs)))).toBe(
      'bad_signature',
    );
    expect(await altered((xml) => xml.replace(/<ds:Signature .*<\/ds:Signature>/s, ''))).toBe(
      'bad_signature',
    );
    expect(await altered((xml) => xml.replaceAll('ds:Signature', 'ds:Sign'))).toBe('bad_signature');
    expect(await altered((xml) => xml.replaceAll(samlNames.signature, 'urn:x'))).toBe('bad_signature');
  });

  it('of another key is refused, whatever certificate it contains', async () => {
    const certificate = (one: string): string =>
      `<ds:KeyInfo><ds:X509Data><ds:X509Certificate>${one}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`;
    const { n = '', e = '' } = createPublicKey(foreign).export({ format: 'jwk' });
    const keyValue = `<ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>${n}</ds:Modulus><ds:Exponent>${e}</ds:Exponent></ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo>`;
    for (const keyInfo of ['', certificate(selfSigned(foreign)), certificate(idp.certificate), keyValue]) {
      expect(await world.verdict(idp.respond({}, { key: foreign, keyInfo }))).toBe('bad_signature');
      expect(await world.verdict(idp.respond({}, { keyInfo }))).toBe('accepted');
    }
  });

  it('of another configured provider is refused', async () => {
    expect(await world.verdict(idp.respond({}, { key: other.privateKey }))).toBe('bad_signature');
    expect(await world.verdict(other.respond())).toBe('unknown_issuer');
    expect(await world.verdict(other.respond({ issuer: idp.entityId }))).toBe('unknown_issuer');
  });

  it.each([
    'http://www.w3.org/2000/09/xmldsig#rsa-sha1',
    `${more}rsa-sha224`,
    'http://www.w3.org/2007/05/xmldsig-more#sha1-rsa-MGF1',
    '',
    'constructor',
    '__proto__',
  ])('with the algorithm %j is refused', async (algorithm) => {
    expect(await world.verdict(idp.respond({}, { algorithm }))).toBe('bad_signature');
  });

  it('over the same thing twice is refused', async () => {
    expect(await world.verdict(idp.respond({}, { references: 2 }))).toBe('bad_signature');
    expect(await world.verdict(idp.respond({}, { references: 0 }))).toBe('bad_signature');
  });

  it('with something behind its key is refused', async () => {
    const keyInfo = '<ds:KeyInfo><ds:KeyName>x</ds:KeyName></ds:KeyInfo>';
    expect(await world.verdict(idp.respond({}, { keyInfo }))).toBe('accepted');
    expect(await world.verdict(idp.respond({}, { keyInfo: `${keyInfo}<ds:Object></ds:Object>` }))).toBe(
      'bad_signature',
    );
  });

  it('with a digest of SHA-1 is refused', async () => {
    const digest = 'http://www.w3.org/2000/09/xmldsig#sha1';
    expect(await world.verdict(idp.respond({}, { digest }))).toBe('bad_signature');
  });

  it('that is an HMAC with the certificate or the public key as its secret is refused', async () => {
    const secrets = [
      createPublicKey(idp.privateKey).export({ type: 'spki', format: 'pem' }),
      createPublicKey(idp.privateKey).export({ type: 'spki', format: 'der' }),
      idp.certificate,
      Buffer.from(idp.certificate, 'base64'),
      '',
    ];
    for (const [name, hash] of [
      [`${more}hmac-sha256`, 'sha256'],
      ['http://www.w3.org/2000/09/xmldsig#hmac-sha1', 'sha1'],
    ] as const) {
      for (const secret of secrets) {
        const verdict = await altered((xml) => {
          const renamed = xml.replace(`${more}rsa-sha256`, name);
          const info = /<ds:SignedInfo>.*<\/ds:SignedInfo>/s.exec(renamed)?.[0] ?? '';
          const canonical = info.replace(
            '<ds:SignedInfo>',
            `<ds:SignedInfo xmlns:ds="${samlNames.signature}">`,
          );
          const mac = createHmac(hash, secret).update(canonical).digest('base64');
          return renamed.replace(/<ds:SignatureValue>[^<]*/, `<ds:SignatureValue>${mac}`);
        });
        expect(verdict).toBe('bad_signature');
      }
    }
  });

  it('of another type of key than the provider has is refused', async () => {
    const elliptic = createSamlWorld({ keyType: 'ec' });
    const algorithm = `${more}ecdsa-sha256`;
    expect(await world.verdict(idp.respond({}, { key: elliptic.idp.privateKey, algorithm }))).toBe(
      'bad_signature',
    );
    expect(
      await elliptic.verdict(elliptic.idp.respond({}, { key: foreign, algorithm: `${more}rsa-sha256` })),
    ).toBe('bad_signature');
  });

  it.each<[string, readonly string[]]>([
    ['no transform', []],
    ['no enveloped signature', [c14n]],
    ['canonicalization first', [c14n, samlNames.enveloped]],
    ['comments', [samlNames.enveloped, `${c14n}WithComments`]],
    ['XSLT', [samlNames.enveloped, 'http://www.w3.org/TR/1999/REC-xslt-19991116']],
    ['XPath', [samlNames.enveloped, 'http://www.w3.org/TR/1999/REC-xpath-19991116']],
    ['base64', [samlNames.enveloped, 'http://www.w3.org/2000/09/xmldsig#base64']],
    ['three transforms', [samlNames.enveloped, c14n, c14n]],
  ])('with %s is refused', async (_, transforms) => {
    expect(await world.verdict(idp.respond({}, { transforms }))).toBe('bad_signature');
  });

  it.each([
    '',
    '#',
    '#_response',
    '#_other',
    'https://idp.example.com/',
    '#xpointer(/)',
    "#xpointer(id('_response'))",
    '_assertion',
  ])('that refers to %j is refused', async (uri) => {
    expect(await world.verdict(idp.respond({}, { uri }))).toBe('bad_signature');
  });

  it.each<[string, (xml: string) => string]>([
    ['two references', (xml) => xml.replace(/<ds:Reference .*<\/ds:Reference>/s, '$&$&')],
    ['no reference', (xml) => xml.replace(/<ds:Reference .*<\/ds:Reference>/s, '')],
    ['two parts that are signed', (xml) => xml.replace(/<ds:SignedInfo>.*<\/ds:SignedInfo>/s, '$&$&')],
    ['two digests', (xml) => xml.replace(/<ds:DigestValue>.*<\/ds:DigestValue>/s, '$&$&')],
    ['two values', (xml) => xml.replace(/<ds:SignatureValue>.*<\/ds:SignatureValue>/s, '$&$&')],
    ['an object', (xml) => xml.replace('</ds:Signature>', '<ds:Object></ds:Object></ds:Signature>')],
    ['an element in its value', (xml) => xml.replace('</ds:SignatureValue>', '<x></x></ds:SignatureValue>')],
    ['an element in its digest', (xml) => xml.replace('</ds:DigestValue>', '<x></x></ds:DigestValue>')],
    [
      'a length of the output',
      (xml) =>
        xml.replace(
          '</ds:SignatureMethod>',
          '<ds:HMACOutputLength>0</ds:HMACOutputLength></ds:SignatureMethod>',
        ),
    ],
    [
      'a part in front',
      (xml) =>
        xml.replace(
          '<ds:SignedInfo>',
          `<ds:Object><ds:SignatureMethod Algorithm="${more}hmac-sha256"></ds:SignatureMethod></ds:Object><ds:SignedInfo>`,
        ),
    ],
    [
      'a place beside the assertion',
      (xml) =>
        xml.replace(/(<saml:Assertion.*)(<ds:Signature .*<\/ds:Signature>)(.*<\/saml:Assertion>)/s, '$2$1$3'),
    ],
    [
      'a place in the subject',
      (xml) => xml.replace(/(<ds:Signature .*<\/ds:Signature>)(<saml:Subject>)/s, '$2$1'),
    ],
    ['a twin', (xml) => xml.replace(/<ds:Signature .*<\/ds:Signature>/s, '$&$&')],
  ])('with %s is refused', async (_, change) => {
    expect(await altered(change)).toBe('bad_signature');
  });
});
