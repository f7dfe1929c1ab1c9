import type { PassedOn } from '../authorize/pass-on.ts';
import type { OutgoingHead } from './outgoing-request.ts';

/** Headers of a signature, and those that clients sign although they mean nothing to the sidecar. */
const alwaysPassed: ReadonlySet<string> = new Set([
  'authorization',
  'content-encoding',
  'content-type',
  'date',
  'traceparent',
  'tracestate',
  'x-amz-api-version',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-expected-bucket-owner',
  'x-amz-source-expected-bucket-owner',
  'x-amz-te',
  'x-amz-trailer',
  'x-amz-user-agent',
]);

/**
 * Builds the request to the store from a request as it came: its method, its target and its Host, and of its headers those that took
 * part in its classification and those of its signature. Nothing is signed, and nothing is added but the length of the body.
 * @param length of the body on the wire, in bytes
 */
export function untouchedHead({ request, arrived }: PassedOn, length: number): OutgoingHead {
  const { operation, headers: classified } = request;
  const { path, query, headers: sent } = arrived;
  const headers = ['host', sent.get('host') ?? ''];
  for (const { name, value } of sent) {
    if (name === 'x-amz-security-token') throw new Error('a session token must not reach the store');
    if (classified.has(name) || alwaysPassed.has(name) || isOfSdk(name, value)) headers.push(name, value);
  }
  // As for every other request: see `outgoing-request.ts`.
  if (operation.body !== 'none' || operation.method === 'PUT' || operation.method === 'POST')
    headers.push('content-length', String(length));
  return { method: arrived.method, target: query === '' ? path : `${path}?${query}`, headers };
}

// The answer must not come in a content coding.
function isOfSdk(name: string, value: string): boolean {
  return name.startsWith('amz-sdk-') || (name === 'accept-encoding' && value.toLowerCase() === 'identity');
}
