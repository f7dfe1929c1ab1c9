import type { KeyObject } from 'node:crypto';
import { escapeXml } from '../../core/xml.ts';
import { IdentityFault } from '../identity-fault.ts';
import { isElement } from './elements.ts';
import { xmlNamespaces } from './namespaces.ts';
import {
  invalidSignature,
  onlyAssertion,
  type SignedElement,
  type UnverifiedMessage,
} from './read-message.ts';
import { createVerifier } from './signature-algorithms.ts';
import { judgeSignature } from './signature-shape.ts';
import { readStrictXml, StrictXmlError, type XmlNode } from './strict-xml.ts';

/**
 * The assertion that the provider signed, read anew from the very bytes whose digest is signed; nothing else of the
 * message may be used. There must be a signature on the assertion or on the response around it, and where both are
 * there both must hold. Only the given keys count, never one that the message brings along. Throws `IdentityFault`
 * `bad_signature`.
 */
export function verifiedAssertion(message: UnverifiedMessage, keys: readonly KeyObject[]): XmlNode {
  const proven = message.signed.map((one) => proveElement(one, message, keys));
  // The assertion's own signature comes last; without one its response's covers it.
  const element = proven.at(-1);
  if (element === undefined) throw badSignature('nothing in it is signed');
  return isElement(element, xmlNamespaces.protocol, 'Response') ? onlyAssertion(element) : element;
}

// The library takes the namespaces around the first signature of a document for those around the one it verifies.
function textAround({ owner }: SignedElement, { text, response, signed }: UnverifiedMessage): string {
  const outer = signed.find((one) => one.owner === response)?.signature;
  if (owner === response || outer === undefined) return text;
  return text.slice(0, outer.start) + text.slice(outer.end);
}

/** The signed element, from its canonical form. */
function proveElement(
  signed: SignedElement,
  message: UnverifiedMessage,
  keys: readonly KeyObject[],
): XmlNode {
  const rule = judgeSignature(signed);
  if (typeof rule === 'string') throw badSignature(rule);
  const candidates = keys.filter(({ asymmetricKeyType }) => asymmetricKeyType === rule.keyType);
  const signature = standalone(message.text, signed.signature);
  const text = textAround(signed, message);
  for (const key of candidates) {
    const canonical = signedReference(text, signature, key);
    if (canonical !== undefined) return requireSame(readCanonical(canonical), signed.owner);
  }
  throw badSignature("no key of the identity provider's metadata verifies it");
}

/** What the key proves to be signed, in canonical form; `undefined` when it proves nothing. */
function signedReference(text: string, signature: string, key: KeyObject): string | undefined {
  const verifier = createVerifier(key);
  try {
    verifier.loadSignature(signature);
    if (!verifier.checkSignature(text)) return undefined;
  } catch {
    return undefined;
  }
  const [canonical, ...others] = verifier.getSignedReferences();
  return others.length === 0 ? canonical : undefined;
}

function readCanonical(text: string): XmlNode {
  try {
    return readStrictXml(text, 'refused');
  } catch (error) {
    if (!(error instanceof StrictXmlError)) throw error;
    throw badSignature(`what is signed cannot be read: ${error.message}`);
  }
}

/** The signature as a document of its own, with the namespaces that it uses from further out. */
function standalone(text: string, { start, nameEnd, end, scope, declared }: XmlNode): string {
  let declarations = '';
  for (const [prefix, namespace] of scope) {
    if (declared.has(prefix) || prefix === 'xml' || namespace === '') continue;
    declarations += ` xmlns${prefix === '' ? '' : `:${prefix}`}="${escapeXml(namespace)}"`;
  }
  return text.slice(start, nameEnd) + declarations + text.slice(nameEnd, end);
}

// What was found by its identifier must be what the signature stands in.
function requireSame(proven: XmlNode, owner: XmlNode): XmlNode {
  const isSame =
    isElement(proven, owner.namespace, owner.name) &&
    proven.attributes.get('ID') === owner.attributes.get('ID');
  if (isSame) return proven;
  throw badSignature('what is signed is another element');
}

function badSignature(detail: string): IdentityFault {
  return new IdentityFault('bad_signature', invalidSignature, {
    detail: `the signature is refused: ${detail}`,
  });
}
