import { constants, createHash, KeyObject, verify } from 'node:crypto';
import { type SignatureAlgorithm, SignedXml } from 'xml-crypto';

declare global {
  // The library's types mention the DOM, which this program neither has nor passes to it.
  interface Node {
    readonly nodeType: number;
  }
  interface Comment extends Node {
    readonly data: string;
  }
  interface Element extends Node {
    readonly tagName: string;
  }
  interface Attr extends Node {
    readonly value: string;
  }
  interface Document extends Node {
    readonly documentElement: Element;
  }
  interface XPathNSResolver {
    lookupNamespaceURI(prefix: string | null): string | null;
  }
}

/** The key that a signature algorithm requires. */
export interface SignatureRule {
  readonly keyType: 'rsa' | 'ec';
  readonly digest: 'sha256' | 'sha384' | 'sha512';
  /** RSASSA-PSS instead of PKCS #1 v1.5. */
  readonly isPss: boolean;
}

const more2001 = 'http://www.w3.org/2001/04/xmldsig-more#';
const more2007 = 'http://www.w3.org/2007/05/xmldsig-more#';

function rule(keyType: 'rsa' | 'ec', digest: SignatureRule['digest'], isPss = false): SignatureRule {
  return { keyType, digest, isPss };
}

/**
 * The accepted signature algorithms (RFC 9231, section 2.3): only asymmetric ones, with SHA-256 or better. An HMAC could have
 * been made by anyone who can verify it, and SHA-1 has collisions.
 */
export const signatureRules: ReadonlyMap<string, SignatureRule> = new Map([
  [`${more2001}rsa-sha256`, rule('rsa', 'sha256')],
  [`${more2001}rsa-sha384`, rule('rsa', 'sha384')],
  [`${more2001}rsa-sha512`, rule('rsa', 'sha512')],
  [`${more2007}sha256-rsa-MGF1`, rule('rsa', 'sha256', true)],
  [`${more2007}sha384-rsa-MGF1`, rule('rsa', 'sha384', true)],
  [`${more2007}sha512-rsa-MGF1`, rule('rsa', 'sha512', true)],
  [`${more2001}ecdsa-sha256`, rule('ec', 'sha256')],
  [`${more2001}ecdsa-sha384`, rule('ec', 'sha384')],
  [`${more2001}ecdsa-sha512`, rule('ec', 'sha512')],
]);

/** The accepted digest algorithms of a reference. */
export const digestAlgorithms: ReadonlyMap<string, SignatureRule['digest']> = new Map([
  ['http://www.w3.org/2001/04/xmlenc#sha256', 'sha256'],
  [`${more2001}sha384`, 'sha384'],
  ['http://www.w3.org/2001/04/xmlenc#sha512', 'sha512'],
]);

/** The enveloped-signature transform, which leaves out the signature itself. */
export const envelopedTransform = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';

/** Exclusive and inclusive canonicalization, both without comments. */
export const canonicalizations: ReadonlySet<string> = new Set([
  'http://www.w3.org/2001/10/xml-exc-c14n#',
  'http://www.w3.org/TR/2001/REC-xml-c14n-20010315',
]);

/** Creates a verifier for one public key that supports only the algorithms above. Without a key it verifies nothing. */
export function createVerifier(publicKey?: KeyObject): SignedXml {
  // Keys in the message are ignored. This is the default of the library, made explicit.
  const key = publicKey === undefined ? {} : { publicCert: publicKey };
  const verifier = new SignedXml({ ...key, getCertFromKeyInfo: () => null });
  verifier.idAttributes = ['ID'];
  const known = verifier.CanonicalizationAlgorithms;
  verifier.CanonicalizationAlgorithms = pick(
    known,
    (name) => name === envelopedTransform || canonicalizations.has(name),
  );
  verifier.HashAlgorithms = table(
    [...digestAlgorithms].map(([name, digest]) => [name, hashClass(name, digest)]),
  );
  verifier.SignatureAlgorithms = table(
    [...signatureRules].map(([name, one]) => [name, signatureClass(name, one)]),
  );
  return verifier;
}

function table<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

function pick<T>(all: Readonly<Record<string, T>>, isWanted: (name: string) => boolean): Record<string, T> {
  return table(Object.entries(all).filter(([name]) => isWanted(name)));
}

type HashClass = SignedXml['HashAlgorithms'][string];

function hashClass(name: string, digest: string): HashClass {
  return class {
    getAlgorithmName(): string {
      return name;
    }
    getHash(xml: string): string {
      return createHash(digest).update(xml, 'utf8').digest('base64');
    }
  };
}

function signatureClass(name: string, one: SignatureRule): new () => SignatureAlgorithm {
  return class {
    getAlgorithmName(): string {
      return name;
    }
    getSignature(): never {
      throw new Error('nothing is signed here');
    }
    verifySignature(material: string, key: unknown, value: string): boolean {
      return key instanceof KeyObject && verifySignatureValue(one, key, material, value);
    }
  };
}

/**
 * True when this base64 signature value over the text verifies with the key. The algorithm must fit the type of the key,
 * whatever the message says.
 */
export function verifySignatureValue(
  { keyType, digest, isPss }: SignatureRule,
  key: KeyObject,
  material: string,
  value: string,
): boolean {
  if (key.asymmetricKeyType !== keyType) return false;
  const padding = isPss ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  const options =
    keyType === 'ec'
      ? { key, dsaEncoding: 'ieee-p1363' as const }
      : { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return verify(digest, Buffer.from(material, 'utf8'), options, Buffer.from(value, 'base64'));
}
