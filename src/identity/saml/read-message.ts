import { decodeUtf8 } from '../../core/bytes.ts';
import { IdentityFault } from '../identity-fault.ts';
import { allElements, isElement, onlyChildOf } from './elements.ts';
import { xmlNamespaces } from './namespaces.ts';
import { messageRules, readStrictXml, StrictXmlError, type XmlNode } from './strict-xml.ts';

/** A response of unproven origin: nothing in it may be believed before its signatures are verified. */
export interface UnverifiedMessage {
  /** The document; the places of its elements are places in this text. */
  readonly text: string;
  readonly response: XmlNode;
  /** The only assertion in the document, a child of the response. */
  readonly assertion: XmlNode;
  /** What is signed, and the signature inside it: the response, the assertion, or both. */
  readonly signed: readonly SignedElement[];
}

/** An element with the signature that is its child. */
export interface SignedElement {
  readonly owner: XmlNode;
  readonly signature: XmlNode;
}

/** The longest assertion (AWS STS API Reference, AssumeRoleWithSAML). */
const maxCharacters = 100_000;
const { assertion: assertionNamespace, protocol, signature: signatureNamespace } = xmlNamespaces;
/** An identifier that needs no escaping in a reference. */
const identifier = /^[A-Za-z_][\w.-]{0,255}$/;

/**
 * Reads the base64 of a SAML response (SAML 2.0 bindings, section 3.5.4) of the one shape that is accepted: a response
 * with one assertion and at most one signature on each of them. Assertions, signatures and identifiers anywhere else,
 * in whatever namespace, are refused: they are how signatures are wrapped. Throws `IdentityFault` `malformed` and
 * `bad_signature`.
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
  // Encoding again finds what the lenient decoder skipped or cut off.
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
 * The assertion of a response, which must be the only one in it. Also asked of what was proven, so that nobody has to
 * rely on the question having been asked before.
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

// An element that another one could be mistaken for; the schema's type of identifiers allows none either.
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

/** What the caller is told of every fault of a signature. */
export const invalidSignature = 'Response signature invalid';

/** A response that is none; the caller learns no more than that. */
function malformed(detail: string, cause?: unknown, message = 'Invalid SAML response'): IdentityFault {
  return new IdentityFault('malformed', message, {
    detail: `the SAML response is not accepted: ${detail}`,
    cause,
  });
}
