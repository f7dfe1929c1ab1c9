import { decodeUtf8 } from '../../core/bytes.ts';
import { IdentityFault } from '../identity-fault.ts';
import { allElements, isElement, onlyChildOf } from './elements.ts';
import { xmlNamespaces } from './namespaces.ts';
import { messageRules, readStrictXml, StrictXmlError, type XmlNode } from './strict-xml.ts';

/** An unverified response. Nothing in it may be trusted before its signatures are verified. */
export interface UnverifiedMessage {
  /** The text of the document. Positions of elements refer to it. */
  readonly text: string;
  readonly response: XmlNode;
  /** The only assertion in the document, a child of the response. */
  readonly assertion: XmlNode;
  /** The signed elements with their signatures: the response, the assertion, or both. */
  readonly signed: readonly SignedElement[];
}

/** An element with the signature that is its child. */
export interface SignedElement {
  readonly owner: XmlNode;
  readonly signature: XmlNode;
}

/** Longest accepted assertion (AWS STS API Reference, AssumeRoleWithSAML). */
const maxCharacters = 100_000;
const { assertion: assertionNamespace, protocol, signature: signatureNamespace } = xmlNamespaces;
/** Identifiers that need no escaping in a reference. */
const identifier = /^[A-Za-z_][\w.-]{0,255}$/;

/**
 * Reads the base64 of a SAML response (SAML 2.0 bindings, section 3.5.4). Only one shape is accepted: a response with one
 * assertion, and at most one signature on each of them. Assertions, signatures and identifiers in any other place, in any
 * namespace, are refused, because signature wrapping attacks rely on them.
 * @throws IdentityFault `malformed` or `bad_signature`
 */
export function readMessage(base64: string): UnverifiedMessage {
  const text = decode(base64);
  const response = parse(text);
  if (!isElement(response, protocol, 'Response') || response.attributes.get('Version') !== '2.0') {
    throw malformed('it is no response of SAML 2.0');
  }
  requireSuccess(response);
  const assertion = onlyAssertion(response);
  if (assertion.attributes.get('Version') !== '2.0') throw malformed('it is no assertion of SAML 2.0');
  requireDistinctIds(response);
  const signed = [response, assertion].flatMap((owner) => {
    const signature = owner.children.find((child) => isElement(child, signatureNamespace, 'Signature'));
    return signature === undefined ? [] : [{ owner, signature }];
  });
  requireNoOtherSignature(response, signed.length);
  return { text, response, assertion, signed };
}

function decode(base64: string): string {
  const compact = base64.length > maxCharacters ? '' : base64.replace(/[\r\n]/g, '');
  const bytes = Buffer.from(compact, 'base64');
  // Encoding again reveals what the lenient decoder skipped or cut off.
  if (bytes.length === 0 || bytes.toString('base64') !== compact) throw malformed('it is no base64');
  const text = decodeUtf8(bytes);
  if (text === undefined) throw malformed('it is not UTF-8');
  return text.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n');
}

function parse(text: string): XmlNode {
  try {
    return readStrictXml(text, messageRules);
  } catch (error) {
    if (!(error instanceof StrictXmlError)) throw error;
    throw malformed(error.message, error);
  }
}

function requireSuccess(response: XmlNode): void {
  const status = onlyChildOf(response, protocol, 'Status');
  const code = status === undefined ? undefined : onlyChildOf(status, protocol, 'StatusCode');
  if (code?.attributes.get('Value') === 'urn:oasis:names:tc:SAML:2.0:status:Success') return;
  throw malformed('the identity provider did not report success');
}

/**
 * Returns the only assertion of a response. Also called with the verified bytes, so that this does not depend on the earlier
 * check.
 */
export function onlyAssertion(response: XmlNode): XmlNode {
  let count = 0;
  for (const { name } of allElements(response)) {
    if (name === 'EncryptedAssertion' || name === 'EncryptedID') {
      throw malformed(
        'it is encrypted',
        undefined,
        'Encrypted assertions are not supported: have the identity provider sign without encrypting',
      );
    }
    if (name === 'Assertion') count += 1;
  }
  const assertion = onlyChildOf(response, assertionNamespace, 'Assertion');
  if (count === 1 && assertion !== undefined) return assertion;
  throw malformed(count === 0 ? 'it has no assertion' : 'its only assertion must be a child of the response');
}

// An element that could be mistaken for another one. The schema type of identifiers forbids this too.
function requireDistinctIds(response: XmlNode): void {
  const seen = new Set<string>();
  for (const { name, attributes } of allElements(response)) {
    for (const [attribute, value] of attributes) {
      if (attribute.replace(/^.*\}/, '').toLowerCase() !== 'id') continue;
      if (seen.has(value)) throw malformed('it repeats an identifier');
      seen.add(value);
    }
    const isOwner = name === 'Response' || name === 'Assertion';
    if (isOwner && !identifier.test(attributes.get('ID') ?? ''))
      throw malformed('an identifier is not valid');
  }
}

function requireNoOtherSignature(response: XmlNode, known: number): void {
  let signatures = 0;
  let responses = 0;
  for (const { name } of allElements(response)) {
    if (name === 'Signature') signatures += 1;
    if (name === 'Response') responses += 1;
  }
  if (signatures === known && responses === 1) return;
  throw new IdentityFault('bad_signature', invalidSignature, {
    detail: 'a signature or response is misplaced',
  });
}

/** The message for every signature fault. */
export const invalidSignature = 'Response signature invalid';

/** The fault for an unreadable response. The caller learns no more. */
function malformed(detail: string, cause?: unknown, message = 'Invalid SAML response'): IdentityFault {
  return new IdentityFault('malformed', message, {
    detail: `the SAML response is not accepted: ${detail}`,
    cause,
  });
}
