import { childText, readXml, writeXml, type XmlElement } from '../core/xml.ts';
import { StoreRefusalError, UpstreamFault } from './faults.ts';

/** An error document of the store. */
export interface StoreError {
  readonly code: string;
  readonly elements: readonly XmlElement[];
}

/** Codes by which the store refuses the sidecar's own signature. The client cannot cause them. */
const storeAuthenticationCodes: ReadonlySet<string> = new Set([
  'AuthorizationHeaderMalformed',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidToken',
  'RequestExpired',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'XAmzContentSHA256Mismatch',
]);

/** Returns the fault for a code by which the store refuses the sidecar's own key; `undefined` for any other code. */
export function ownKeyFault(code: string | undefined): UpstreamFault | undefined {
  if (code === undefined || !storeAuthenticationCodes.has(code)) return undefined;
  return new UpstreamFault('store_authentication', `the store refused the sidecar's key: ${code}`);
}

/** @throws UpstreamFault `store_authentication` when the store refused the sidecar's own key */
export function requireOwnKeyAccepted(code: string | undefined): void {
  const fault = ownKeyFault(code);
  if (fault !== undefined) throw fault;
}

/** Reads an S3 error document. Returns `undefined` for anything else, such as the error page of a proxy. */
export function readStoreError(body: Uint8Array): StoreError | undefined {
  try {
    const root = readXml(body, { maxBytes: body.length, maxDepth: 4 });
    const code = childText(root, 'Code');
    return root.name === 'Error' && code !== undefined ? { code, elements: root.children } : undefined;
  } catch {
    return undefined;
  }
}

/** Elements that clients do not get: the store's own ids, and its address in a redirect. */
const hidden: ReadonlySet<string> = new Set(['RequestId', 'HostId', 'Endpoint']);

/** Rewrites the store's error with the sidecar's request id, and without the store's address. */
export function rewriteStoreError(error: StoreError, requestId: string): Buffer {
  return Buffer.from(writeError(error, requestId), 'utf8');
}

/** Rewrites the store's error to follow white space, or an XML declaration, that has been sent already. */
export function continueWithStoreError(error: StoreError, requestId: string): Buffer {
  return withoutDeclaration(writeError(error, requestId));
}

/** Writes the error that follows such white space in place of a document that the caller may not see. */
export function continueWithFault(fault: UpstreamFault | StoreRefusalError, requestId: string): Buffer {
  const [Code, Message] =
    fault instanceof StoreRefusalError
      ? [fault.code, fault.message]
      : ['ServiceUnavailable', 'The store behind this endpoint is not available. Please try again.'];
  return withoutDeclaration(writeXml('Error', { Code, Message, RequestId: requestId, HostId: requestId }));
}

function withoutDeclaration(document: string): Buffer {
  return Buffer.from(document.replace(/^<\?xml[^>]*\?>\s*/, ''), 'utf8');
}

function writeError(error: StoreError, requestId: string): string {
  const kept = error.elements.filter(({ name }) => !hidden.has(name));
  const content = Object.fromEntries(kept.map(({ name, text }) => [name, text]));
  return writeXml('Error', { ...content, RequestId: requestId, HostId: requestId });
}

/**
 * Returns the body for an answer of 300 or above: the store's error with the sidecar's request id. The page of a proxy is
 * replaced by an error: no SDK could read it, and it can reveal internal names.
 */
export function shownError(
  body: Buffer,
  error: StoreError | undefined,
  status: number,
  requestId: string,
): Buffer {
  if (error !== undefined) return rewriteStoreError(error, requestId);
  if (body.length === 0) return body;
  const Code = status >= 500 ? 'InternalError' : 'InvalidRequest';
  const Message = 'The store answered with an error that it did not explain.';
  return Buffer.from(writeXml('Error', { Code, Message, RequestId: requestId, HostId: requestId }), 'utf8');
}
