import { AuthenticationFault } from '../core/authentication-fault.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { QueryParameter } from '../core/request-target.ts';
import { type CredentialScope, formatBasicDateTime } from './credential-scope.ts';
import { type PayloadMode, parsePayloadMode } from './payload-mode.ts';
import type { SignedHeaderNames } from './signed-header-names.ts';

/** A request that claims a signature: parsed and plausible, not yet verified. */
export interface SignedRequest {
  readonly raw: RawRequest;
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  readonly signedHeaders: SignedHeaderNames;
  /** The query parameters that the signature covers. */
  readonly signedParameters: readonly QueryParameter[];
  readonly signature: string;
  /** When it was signed, milliseconds since the Unix epoch. */
  readonly signedAtMs: number;
  /** The session token the caller sent, if any. */
  readonly securityToken: string | undefined;
  /** What the request says about its payload, as it enters the canonical request; absent when it says nothing. */
  readonly payloadHash: string | undefined;
  /** How the body is bound to the signature; absent only where the service makes that optional. */
  readonly payload: PayloadMode | undefined;
}

/** What a service requires of its signed requests. */
export interface SignatureRules {
  /** The service name of the credential scope. */
  readonly service: 's3' | 'sts';
  /** S3 requires `x-amz-content-sha256`; STS requests are buffered, so it hashes the body itself. */
  readonly payloadHash: 'required' | 'optional';
  /** True for the operations that may carry an aws-chunked body. */
  readonly allowsStreaming: boolean;
}

/** AWS's limit on the difference between the request's and the server's clock. */
export const maxClockSkewMs = 900_000;

const unrepeated = [
  'authorization',
  'host',
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-security-token',
  'content-type',
  'x-amz-decoded-content-length',
];

/**
 * Refuses repeats of the headers that a signature depends on.
 * @throws AuthenticationFault
 */
export function refuseRepeats(raw: RawRequest): void {
  for (const name of unrepeated) {
    if (raw.headers.count(name) > 1) {
      throw new AuthenticationFault('duplicate_header', { message: `the ${name} header is repeated` });
    }
  }
}

/**
 * Requires that `host` and every `x-amz-*` header are signed. The sidecar signs them again for the store, which would give
 * a valid signature to headers that the caller never signed.
 * @throws AuthenticationFault `headers_not_signed`
 */
export function requireSigned(raw: RawRequest, { set: signed }: SignedHeaderNames): void {
  let unsigned: Set<string> | undefined;
  for (const { name } of raw.headers) {
    if ((name === 'host' || name.startsWith('x-amz-')) && !signed.has(name))
      unsigned = (unsigned ?? new Set()).add(name);
  }
  if (!signed.has('host')) unsigned = (unsigned ?? new Set()).add('host');
  if (unsigned !== undefined)
    throw new AuthenticationFault('headers_not_signed', { headersNotSigned: [...unsigned] });
}

/**
 * Reads a declared payload hash. Streaming bodies are accepted only where the operation takes one, and never with the chunk
 * signatures of Signature V4A.
 * @throws AuthenticationFault
 */
export function readPayloadMode(value: string, allowsStreaming: boolean): PayloadMode {
  const mode = parsePayloadMode(value);
  if (mode === undefined) throw new AuthenticationFault('payload_hash_invalid');
  const isStreaming = mode === 'v4a-chunks' || (mode.kind !== 'digest' && mode.kind !== 'unsigned');
  if (isStreaming && !allowsStreaming) throw new AuthenticationFault('streaming_not_allowed');
  if (mode === 'v4a-chunks') throw new AuthenticationFault('streaming_unsupported');
  return mode;
}

/** True when the scope was made for the day of the request, in UTC. */
export function isDayOf(scope: CredentialScope, requestMs: number): boolean {
  return formatBasicDateTime(requestMs).startsWith(scope.date);
}
