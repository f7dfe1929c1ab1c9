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
import type { RefutedSignatures } from './refuted-signatures.ts';
import { createVerifier, verifySignatureValue } from './signature-algorithms.ts';
import { judgeSignature } from './signature-shape.ts';
import { canonicalSignedInfo } from './signed-info.ts';
import { messageRules, readStrictXml, StrictXmlError, type XmlNode } from './strict-xml.ts';

/**
 * Returns the signed assertion, parsed again from the bytes whose digest is signed. Nothing else of the message may be used.
 * The assertion or the response must be signed; if both are, both signatures must be valid. Only the given keys count, never
 * one in the message. A signature that does not fit the message is remembered, and refused the next time before the document is
 * touched.
 * @throws IdentityFault `bad_signature`
 */
export function verifiedAssertion(
  message: UnverifiedMessage,
  { keys, refuted, nowMs }: SignatureSources,
): XmlNode {
  // All signature values come first. For a forged message nothing more is computed, however many keys there are.
  const attested = message.signed.map((one) => attest(one, message, keys));
  if (attested.some(({ signedInfo }) => refuted.has(signedInfo, nowMs))) {
    throw badSignature('it did not fit another message either');
  }
  const proven = attested.map((one) => {
    const element = proveElement(one, message);
    if (element !== undefined) return element;
    refuted.add(one.signedInfo, nowMs);
    throw badSignature('its reference does not hold');
  });
  // The assertion's own signature comes last. Without one, the signature of the response covers it.
  const element = proven.at(-1);
  if (element === undefined) throw badSignature('nothing in it is signed');
  return isElement(element, xmlNamespaces.protocol, 'Response') ? onlyAssertion(element) : element;
}

/** What signatures are verified with. */
export interface SignatureSources {
  readonly keys: readonly KeyObject[];
  readonly refuted: RefutedSignatures;
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number;
}

/** A signature whose value verifies with a key of the provider. INVARIANT: that proves nothing yet about what it refers to. */
interface AttestedSignature {
  readonly signed: SignedElement;
  /** The signature as a document of its own. */
  readonly signature: string;
  /** Its canonical SignedInfo. */
  readonly signedInfo: string;
  readonly key: KeyObject;
}

function attest(
  signed: SignedElement,
  message: UnverifiedMessage,
  keys: readonly KeyObject[],
): AttestedSignature {
  const judged = judgeSignature(signed);
  if (typeof judged === 'string') throw badSignature(judged);
  const { rule, value } = judged;
  const signature = standalone(message.text, signed.signature, value.end);
  const signedInfo = canonicalSignedInfo(signature);
  if (signedInfo === undefined) throw badSignature('what its value is about cannot be read');
  const key = keys.find((one) => verifySignatureValue(rule, one, signedInfo, value.text));
  if (key === undefined) throw badSignature("no key of the identity provider's metadata verifies it");
  return { signed, signature, signedInfo, key };
}

// The library always uses the namespaces around the first signature of a document, whichever signature it verifies.
function textAround({ owner }: SignedElement, { text, response, signed }: UnverifiedMessage): string {
  const outer = signed.find((one) => one.owner === response)?.signature;
  if (owner === response || outer === undefined) return text;
  return text.slice(0, outer.start) + text.slice(outer.end);
}

/** The signed element, read from its canonical form; `undefined` when something else is signed. */
function proveElement(
  { signed, signature, key }: AttestedSignature,
  message: UnverifiedMessage,
): XmlNode | undefined {
  const canonical = signedReference(textAround(signed, message), signature, key);
  return canonical === undefined ? undefined : requireSame(readCanonical(canonical), signed.owner);
}

/** The canonical form of what the key has signed; `undefined` when verification fails. */
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
    return readStrictXml(text, messageRules);
  } catch (error) {
    if (!(error instanceof StrictXmlError)) throw error;
    throw badSignature(`what is signed cannot be read: ${error.message}`);
  }
}

/**
 * The signature as a document of its own, with the outer namespaces that it uses. It ends after its value: what follows, a
 * KeyInfo from the sender, does not count.
 */
function standalone(text: string, signature: XmlNode, valueEnd: number): string {
  const { start, nameEnd, scope, declared } = signature;
  let declarations = '';
  for (const [prefix, namespace] of scope) {
    if (declared.has(prefix) || prefix === 'xml' || namespace === '') continue;
    declarations += ` xmlns${prefix === '' ? '' : `:${prefix}`}="${escapeXml(namespace)}"`;
  }
  const name = text.slice(start + 1, nameEnd);
  return `<${name}${declarations}${text.slice(nameEnd, valueEnd)}</${name}>`;
}

// The element found by its identifier must be the one that contains the signature.
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
