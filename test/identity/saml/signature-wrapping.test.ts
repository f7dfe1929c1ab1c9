import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { allElements } from '../../../src/identity/saml/elements.ts';
import { readMessage } from '../../../src/identity/saml/read-message.ts';
import { RefutedSignatures } from '../../../src/identity/saml/refuted-signatures.ts';
import type { XmlNode } from '../../../src/identity/saml/strict-xml.ts';
import { type SignatureSources, verifiedAssertion } from '../../../src/identity/saml/verify-message.ts';
import { samlNames, toBase64, writeResponse } from '../../support/saml-idp.ts';
import { createSamlWorld, nowMs } from './saml-world.ts';

const world = createSamlWorld();
const { idp } = world;

const fromBase64 = (text: string): string => Buffer.from(text, 'base64').toString();
const evil = (id = '_evil'): string => idp.assertion({ id, nameId: 'root@example.com' });
const signatureIn = (xml: string): string => /<ds:Signature .*?<\/ds:Signature>/s.exec(xml)?.[0] ?? '';
const withoutSignature = (xml: string): string => xml.replace(signatureIn(xml), '');
const respond = (...content: readonly string[]): string =>
  writeResponse(content.join(''), idp.entityId, nowMs);
/** Puts text before the end tag of the first element of that name. */
const into = (xml: string, name: string, added: string): string =>
  xml.replace(`</${name}>`, `${added}</${name}>`);

/** The arrangements of "On Breaking SAML: Be Whoever You Want to Be" (Somorovsky and others, 2012), numbered as usual. */
const wrappings: readonly (readonly [string, () => string])[] = [
  [
    'XSW1: the signed response inside the signature of an evil response',
    () => {
      const signed = idp.sign(respond(idp.assertion()));
      const signature = signatureIn(signed);
      const wrapped = into(signature, 'ds:Signature', `<ds:Object>${withoutSignature(signed)}</ds:Object>`);
      return respond(evil())
        .replace('ID="_response"', 'ID="_evil-response"')
        .replace('<samlp:Status>', `${wrapped}<samlp:Status>`);
    },
  ],
  [
    'XSW2: the signed response beside the signature in an evil response',
    () => {
      const signed = idp.sign(respond(idp.assertion()));
      const both = withoutSignature(signed) + signatureIn(signed);
      return respond(evil())
        .replace('ID="_response"', 'ID="_evil-response"')
        .replace('<samlp:Status>', `${both}<samlp:Status>`);
    },
  ],
  ['XSW3: an evil assertion before the signed one', () => respond(evil(), idp.sign(idp.assertion()))],
  [
    'XSW3, reversed: an evil assertion behind the signed one',
    () => respond(idp.sign(idp.assertion()), evil()),
  ],
  [
    'XSW4: the signed assertion inside the evil one',
    () => respond(into(evil(), 'saml:Assertion', idp.sign(idp.assertion()))),
  ],
  [
    'XSW5: the signature in the evil assertion, the signed one behind it',
    () => {
      const signed = idp.sign(idp.assertion());
      const thief = evil().replace('<saml:Subject>', `${signatureIn(signed)}<saml:Subject>`);
      return respond(thief, withoutSignature(signed));
    },
  ],
  [
    'XSW6: the signed assertion inside the signature of the evil one',
    () => {
      const signed = idp.sign(idp.assertion());
      const signature = into(signatureIn(signed), 'ds:Signature', withoutSignature(signed));
      return respond(evil().replace('<saml:Subject>', `${signature}<saml:Subject>`));
    },
  ],
  [
    'XSW7: the evil assertion among extensions',
    () => respond(`<samlp:Extensions>${evil()}</samlp:Extensions>`, idp.sign(idp.assertion())),
  ],
  [
    'XSW8: the signed assertion in an object of the signature of the evil one',
    () => {
      const signed = idp.sign(idp.assertion());
      const object = `<ds:Object>${withoutSignature(signed)}</ds:Object>`;
      const signature = into(signatureIn(signed), 'ds:Signature', object);
      return respond(evil().replace('<saml:Subject>', `${signature}<saml:Subject>`));
    },
  ],
];

describe('a signature that was wrapped', () => {
  it.each(wrappings)('%s is refused', async (_, write) => {
    expect(await world.verdict(toBase64(write()))).toMatch(/^(?:malformed|bad_signature)$/);
  });

  it.each(wrappings)('%s is refused with both assertions under one identifier', async (_, write) => {
    const id = / ID="(_assertion-\d+)"/.exec(write())?.[1] ?? '';
    const text = write()
      .replaceAll(/ID="_(?:assertion-\d+|evil)"/g, `ID="${id}"`)
      .replaceAll(/URI="#_assertion-\d+"/g, `URI="#${id}"`);
    expect(await world.verdict(toBase64(text))).toMatch(/^(?:malformed|bad_signature)$/);
  });
});

describe('one assertion too many', () => {
  const foreign = (): string => evil().replaceAll(samlNames.assertion, 'urn:x');
  it.each<[string, () => string]>([
    ['unsigned and first', () => respond(evil(), idp.sign(idp.assertion()))],
    ['unsigned and last', () => respond(idp.sign(idp.assertion()), evil())],
    ['signed as well', () => respond(idp.sign(idp.assertion()), idp.sign(idp.assertion()))],
    ['of another namespace', () => respond(foreign(), idp.sign(idp.assertion()))],
    [
      'in the status',
      () =>
        respond(idp.sign(idp.assertion())).replace(
          '</samlp:Status>',
          `<samlp:StatusDetail>${evil()}</samlp:StatusDetail></samlp:Status>`,
        ),
    ],
    [
      'as advice',
      () =>
        respond(
          idp
            .sign(idp.assertion())
            .replace('<saml:AuthnStatement', `<saml:Advice>${evil()}</saml:Advice><saml:AuthnStatement`),
        ),
    ],
    [
      'signed, as advice',
      () =>
        respond(
          idp.sign(
            idp
              .assertion()
              .replace('<saml:AuthnStatement', `<saml:Advice>${evil()}</saml:Advice><saml:AuthnStatement`),
          ),
        ),
    ],
    [
      'as a value of an attribute',
      () => respond(into(idp.sign(idp.assertion()), 'saml:AttributeValue', evil())),
    ],
    [
      'in a second response',
      () =>
        idp
          .sign(respond(idp.assertion()))
          .replace('<samlp:Status>', `${respond().replace('_response', '_r2')}<samlp:Status>`),
    ],
    ['both under one signed response', () => idp.sign(respond(idp.assertion(), evil()))],
    [
      'encrypted',
      () =>
        respond(
          idp.sign(idp.assertion()),
          '<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"></saml:EncryptedAssertion>',
        ),
    ],
  ])('is refused: %s', async (_, write) => {
    expect(await world.verdict(toBase64(write()))).toMatch(/^(?:malformed|bad_signature)$/);
  });

  it('is refused with a further signature or response somewhere in what is signed', async () => {
    const stray = [
      `<ds:Signature xmlns:ds="${samlNames.signature}"></ds:Signature>`,
      '<x:Signature xmlns:x="urn:x"></x:Signature>',
      '<samlp:Response></samlp:Response>',
    ];
    for (const element of ['', ...stray]) {
      const detail = `<samlp:StatusDetail>${element}</samlp:StatusDetail></samlp:Status>`;
      const signed = idp.sign(respond(idp.assertion()).replace('</samlp:Status>', detail));
      expect(await world.verdict(toBase64(signed))).toBe(
        element === '' ? 'accepted' : element.startsWith('<samlp') ? 'malformed' : 'bad_signature',
      );
    }
  });

  it('is refused where it is the root, or where there is none', async () => {
    expect(await world.verdict(toBase64(idp.sign(idp.assertion())))).toBe('malformed');
    expect(await world.verdict(toBase64(idp.sign(respond())))).toBe('malformed');
  });

  it('says what to do about encryption', async () => {
    const encrypted = `<saml:EncryptedAssertion xmlns:saml="${samlNames.assertion}"></saml:EncryptedAssertion>`;
    await expect(world.identify(toBase64(idp.sign(respond(encrypted))))).rejects.toMatchObject({
      reason: 'malformed',
      message: 'Encrypted assertions are not supported: have the identity provider sign without encrypting',
    });
  });
});

describe('what is believed', () => {
  it('is the text that was signed, whatever else was read before', () => {
    const sources = (): SignatureSources => ({
      keys: [createPublicKey(idp.privateKey)],
      refuted: new RefutedSignatures(),
      nowMs,
    });
    const subjectOf = (node: XmlNode): string =>
      [...allElements(node)].find(({ name }) => name === 'NameID')?.text ?? '';
    const { assertion } = readMessage(toBase64(respond(idp.sign(evil()))));
    for (const xml of [respond(idp.sign(idp.assertion())), idp.sign(respond(idp.assertion()))]) {
      const message = readMessage(toBase64(xml));
      expect(subjectOf(verifiedAssertion(message, sources()))).toBe('ada@example.com');
      expect(subjectOf(verifiedAssertion({ ...message, assertion }, sources()))).toBe('ada@example.com');
    }
  });
});

describe('identifiers', () => {
  const signed = (): string => fromBase64(idp.respond());
  it.each<[string, (xml: string) => string]>([
    [
      'of response and assertion alike',
      (xml) => xml.replace('ID="_response"', `ID="${/ID="(_assertion-\d+)"/.exec(xml)?.[1]}"`),
    ],
    [
      'repeated by another attribute',
      (xml) => xml.replace('<samlp:Status>', `<samlp:Status id="${/ID="(_assertion-\d+)"/.exec(xml)?.[1]}">`),
    ],
    [
      'repeated in another namespace',
      (xml) =>
        xml.replace(
          '<samlp:Status>',
          `<samlp:Status xmlns:x="urn:x" x:Id="${/ID="(_assertion-\d+)"/.exec(xml)?.[1]}">`,
        ),
    ],
    ['missing on the response', (xml) => xml.replace(' ID="_response"', '')],
    ['with a quote', (xml) => xml.replace('ID="_response"', `ID="_'or'1'='1"`)],
    ['that are empty', (xml) => xml.replace('ID="_response"', 'ID=""')],
  ])('are refused: %s', async (_, change) => {
    const changed = change(signed());
    expect(changed).toContain('<ds:Signature ');
    expect(await world.verdict(toBase64(changed))).toBe('malformed');
  });
});
