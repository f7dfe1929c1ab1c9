import { createHash, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { samlNames, toBase64, writeResponse } from '../../support/saml-idp.ts';
import { createSamlWorld, nowMs } from './saml-world.ts';

const world = createSamlWorld();
const { idp } = world;
const { assertion, protocol, signature, exclusive, inclusive, enveloped } = samlNames;
const schema = 'http://www.w3.org/2001/XMLSchema';

/** One way in which identity providers write a signature. `ds` is the prefix of its elements, with the colon. */
interface Shape {
  readonly ds: string;
  /** Declarations of the signature, as they stand in its start tag. */
  readonly declared: string;
  /** Declarations of SignedInfo in its canonical form. */
  readonly canonicalDeclared: string;
  readonly method: string;
  /** Prefixes that the canonicalization of SignedInfo and of the element includes. */
  readonly prefixes?: string;
}

const usual: Shape = {
  ds: 'ds:',
  declared: ` xmlns:ds="${signature}"`,
  canonicalDeclared: ` xmlns:ds="${signature}"`,
  method: exclusive,
};

/** The signature of an element, which is given in its canonical form. */
function signatureOf(element: string, { ds, declared, canonicalDeclared, method, prefixes }: Shape): string {
  const id = / ID="([^"]*)"/.exec(element)?.[1] ?? '';
  const digest = createHash('sha256').update(element).digest('base64');
  const list =
    prefixes === undefined
      ? ''
      : `<ec:InclusiveNamespaces xmlns:ec="${exclusive}" PrefixList="${prefixes}"></ec:InclusiveNamespaces>`;
  const content = [
    `<${ds}CanonicalizationMethod Algorithm="${method}">${list}</${ds}CanonicalizationMethod>`,
    `<${ds}SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></${ds}SignatureMethod>`,
    `<${ds}Reference URI="#${id}"><${ds}Transforms>`,
    `<${ds}Transform Algorithm="${enveloped}"></${ds}Transform>`,
    `<${ds}Transform Algorithm="${method}">${list}</${ds}Transform></${ds}Transforms>`,
    `<${ds}DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></${ds}DigestMethod>`,
    `<${ds}DigestValue>${digest}</${ds}DigestValue></${ds}Reference>`,
  ].join('');
  const canonical = `<${ds}SignedInfo${canonicalDeclared}>${content}</${ds}SignedInfo>`;
  const value = sign('sha256', Buffer.from(canonical), idp.privateKey).toString('base64');
  return `<${ds}Signature${declared}><${ds}SignedInfo>${content}</${ds}SignedInfo><${ds}SignatureValue>${value}</${ds}SignatureValue></${ds}Signature>`;
}

const respond = (content: string): string => writeResponse(content, idp.entityId, nowMs);
const declareOnResponse = (xml: string, declarations: string): string =>
  xml.replace('<samlp:Response', `<samlp:Response${declarations}`);
/** Puts a signature behind the first issuer, or that of the assertion. */
const placed = (element: string, text: string, issuer = '</saml:Issuer>'): string =>
  element.replace(issuer, `${issuer}${text}`);

const shapes: readonly (readonly [string, () => string])[] = [
  [
    'the namespaces of all on the response, with prefixes by number (pysaml2)',
    () => {
      const signed = idp.assertion().replaceAll('saml:', 'ns1:').replace('xmlns:saml', 'xmlns:ns1');
      const shape = {
        ...usual,
        ds: 'ns2:',
        declared: '',
        canonicalDeclared: ` xmlns:ns2="${signature}"`,
      };
      const inside = signed.replace(` xmlns:ns1="${assertion}"`, '');
      return declareOnResponse(
        respond(placed(inside, signatureOf(signed, shape), '</ns1:Issuer>')),
        ` xmlns:ns1="${assertion}" xmlns:ns2="${signature}"`,
      )
        .replaceAll('samlp:', 'ns0:')
        .replace('xmlns:samlp', 'xmlns:ns0');
    },
  ],
  [
    'the namespace of assertions as the default (AD FS)',
    () => {
      const signed = idp.assertion().replace('xmlns:saml', 'xmlns').replaceAll('saml:', '');
      return respond(placed(signed, signatureOf(signed, usual), '</Issuer>'));
    },
  ],
  [
    'the namespace of signatures as the default (Entra ID)',
    () => {
      const signed = idp.assertion();
      const shape = {
        ...usual,
        ds: '',
        declared: ` xmlns="${signature}"`,
        canonicalDeclared: ` xmlns="${signature}"`,
      };
      return respond(placed(signed, signatureOf(signed, shape)));
    },
  ],
  [
    'a list of prefixes to include, declared on the response (Okta)',
    () => {
      const canonical = idp
        .assertion()
        .replace(` xmlns:saml="${assertion}"`, ` xmlns:saml="${assertion}" xmlns:xs="${schema}"`);
      const shape = {
        ...usual,
        canonicalDeclared: ` xmlns:ds="${signature}" xmlns:xs="${schema}"`,
        prefixes: 'xs',
      };
      const inside = canonical.replace(` xmlns:xs="${schema}"`, '');
      return declareOnResponse(
        respond(placed(inside, signatureOf(canonical, shape))),
        ` xmlns:xs="${schema}"`,
      );
    },
  ],
  [
    'inclusive canonicalization of a response',
    () => {
      const whole = respond(idp.assertion());
      const shape = {
        ...usual,
        method: inclusive,
        canonicalDeclared: ` xmlns:ds="${signature}" xmlns:samlp="${protocol}"`,
      };
      return placed(whole, signatureOf(whole, shape));
    },
  ],
  [
    'inclusive canonicalization of an assertion in its response',
    () => {
      const canonical = idp
        .assertion()
        .replace(` xmlns:saml="${assertion}"`, ` xmlns:saml="${assertion}" xmlns:samlp="${protocol}"`);
      const shape = {
        ...usual,
        method: inclusive,
        canonicalDeclared: ` xmlns:ds="${signature}" xmlns:saml="${assertion}" xmlns:samlp="${protocol}"`,
      };
      const inside = canonical.replace(` xmlns:samlp="${protocol}"`, '');
      return respond(placed(inside, signatureOf(canonical, shape)));
    },
  ],
  [
    'a key behind it, which is not looked at (SimpleSAMLphp, Keycloak)',
    () => {
      const whole = respond(idp.sign(idp.assertion()));
      const info = `<ds:KeyInfo><ds:KeyName>x</ds:KeyName><ds:X509Data><ds:X509Certificate>${idp.certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`;
      const text = signatureOf(whole, usual).replace('</ds:Signature>', `${info}</ds:Signature>`);
      return placed(whole, text);
    },
  ],
];

describe('a signature with', () => {
  it.each(shapes)('%s is accepted', async (_, write) => {
    expect(await world.verdict(toBase64(write()))).toBe('accepted');
  });

  it.each(shapes)('%s is refused when a letter of what is signed changed', async (_, write) => {
    const changed = write().replace('ada@example.com', 'adb@example.com');
    expect(await world.verdict(toBase64(changed))).toBe('bad_signature');
  });

  it.each(shapes)('%s is refused when its digest changed', async (_, write) => {
    const changed = write().replace(/(DigestValue>)./, '$1-');
    expect(await world.verdict(toBase64(changed))).toBe('bad_signature');
  });
});
