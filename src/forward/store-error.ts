import { childText, readXml, writeXml, type XmlElement } from '../core/xml.ts';
import { MissingHidden, UpstreamFault } from './faults.ts';

/** An error document of the store. */
export interface StoreError {
  readonly code: string;
  readonly elements: readonly XmlElement[];
}

/** Codes that mean the store refused the sidecar's own signature: never the client's fault. */
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

/** The fault behind a code by which the store refuses the sidecar's own key; `undefined` for any other code. */
export function ownKeyFault(code: string | undefined): UpstreamFault | undefined {
  if (code === undefined || !storeAuthenticationCodes.has(code)) return undefined;
  return new UpstreamFault('store_authentication', `the store refused the sidecar's key: ${code}`);
}

/** @throws UpstreamFault `store_authentication` when the store refused the sidecar's own key */
export function requireOwnKeyAccepted(code: string | undefined): void {
  const fault = ownKeyFault(code);
  if (fault !== undefined) throw fault;
}

/** Reads an S3 error document; `undefined` for anything else, for example the page of a proxy in between. */
export function readStoreError(body: Uint8Array): StoreError | undefined {
  try {
    const root = readXml(body, { maxBytes: body.length, maxDepth: 4 });
    const code = childText(root, 'Code');
    return root.name === 'Error' && code !== undefined ? { code, elements: root.children } : undefined;
  } catch {
    return undefined;
  }
}

/** Not for clients: the store's own ids, and where a redirect leads. */
const hidden: ReadonlySet<string> = new Set(['RequestId', 'HostId', 'Endpoint']);

/** Writes the store's error again under our own request id, without the store's address. */
export function rewriteStoreError(error: StoreError, requestId: string): Buffer {
  return Buffer.from(writeError(error, requestId), 'utf8');
}

/** The same where white space, or the declaration of the document, has been sent already. */
export function continueWithStoreError(error: StoreError, requestId: string): Buffer {
  return withoutDeclaration(writeError(error, requestId));
}

/** What a client is told at that point in place of an error that it may not see. */
export function continueWithFault(fault: UpstreamFault | MissingHidden, requestId: string): Buffer {
  const [Code, Message] =
    fault instanceof MissingHidden
      ? ['AccessDenied', 'Access Denied']
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
 * What a client is shown of an answer of 300 or above: the store's error under our request id. The page of a proxy in
 * between is nothing that an SDK could read, and tells how things are named behind us: an error of ours stands for it.
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
