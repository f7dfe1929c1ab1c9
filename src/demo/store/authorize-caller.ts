import { createHash } from 'node:crypto';
import { AuthenticationFault, type AuthenticationReason } from '../../core/authentication-fault.ts';
import { isoSeconds } from '../../core/clock.ts';
import type { RawRequest } from '../../core/raw-request.ts';
import type { Secret } from '../../core/secret.ts';
import type { ServiceError } from '../../core/service-error.ts';
import { readHeaderSignature } from '../../sigv4/header-signature.ts';
import type { PayloadMode } from '../../sigv4/payload-mode.ts';
import { maxClockSkewMs } from '../../sigv4/signed-request.ts';
import type { SigningKeyCache } from '../../sigv4/signing-key.ts';
import { verifySignature } from '../../sigv4/verify.ts';
import { type StoreErrorCode, storeError } from './errors.ts';

/** The one key that may use the store. */
export interface StoreKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** Signatures for another region are refused, as AWS does. */
  readonly region: string;
  readonly signingKeys: SigningKeyCache;
}

/** How the body is bound to the verified signature. */
export type BoundPayload = Exclude<PayloadMode, { kind: 'signed-chunks' }>;

const reasonCodes: Readonly<Partial<Record<AuthenticationReason, StoreErrorCode>>> = {
  no_credentials: 'AccessDenied',
  several_credentials: 'InvalidArgument',
  signature_v2: 'InvalidRequest',
  signature_v4a: 'NotImplemented',
  malformed_presigned: 'NotImplemented',
  duplicate_header: 'InvalidArgument',
  malformed_authorization: 'AuthorizationHeaderMalformed',
  region_not_allowed: 'AuthorizationHeaderMalformed',
  date_missing: 'AccessDenied',
  scope_date_mismatch: 'AuthorizationHeaderMalformed',
  clock_skew: 'RequestTimeTooSkewed',
  payload_hash_missing: 'InvalidRequest',
  payload_hash_invalid: 'InvalidArgument',
  streaming_unsupported: 'NotImplemented',
  headers_not_signed: 'AccessDenied',
  unknown_access_key: 'InvalidAccessKeyId',
  invalid_token: 'InvalidToken',
  signature_mismatch: 'SignatureDoesNotMatch',
};

/**
 * Verifies the Signature V4 header of a request against the store's only key and returns what the body must be.
 * Throws an S3 error: AccessDenied, AuthorizationHeaderMalformed, InvalidAccessKeyId, SignatureDoesNotMatch,
 * RequestTimeTooSkewed, InvalidToken, InvalidRequest, InvalidArgument, NotImplemented.
 */
export function authorizeCaller(raw: RawRequest, key: StoreKey): BoundPayload {
  try {
    return verify(raw, key);
  } catch (failure) {
    throw failure instanceof AuthenticationFault ? toStoreError(failure, key.region) : failure;
  }
}

function verify(raw: RawRequest, key: StoreKey): BoundPayload {
  requireHeaderSignature(raw);
  const request = readHeaderSignature(raw, { service: 's3', payloadHash: 'required', allowsStreaming: true });
  const { payload, scope } = request;
  const payloadHash = raw.headers.get('x-amz-content-sha256');
  if (payload === undefined || payloadHash === undefined)
    throw new AuthenticationFault('payload_hash_missing');
  if (payload.kind === 'signed-chunks') throw new AuthenticationFault('streaming_unsupported');
  if (scope.region !== key.region) {
    throw new AuthenticationFault('region_not_allowed', {
      message: `the credential scope names the wrong region, expected ${key.region}`,
    });
  }
  if (request.accessKeyId !== key.accessKeyId) throw new AuthenticationFault('unknown_access_key');
  // The only key is a long-term key, which has no session token.
  if (request.securityToken !== undefined) throw new AuthenticationFault('invalid_token');
  verifySignature(request, key.secretAccessKey, payloadHash, key.signingKeys);
  return payload;
}

function requireHeaderSignature(raw: RawRequest): void {
  const authorization = raw.headers.get('authorization');
  const isPresigned = raw.parameters.some(({ name }) => name === 'X-Amz-Signature' || name === 'Signature');
  if (authorization === undefined) {
    throw new AuthenticationFault(isPresigned ? 'malformed_presigned' : 'no_credentials');
  }
  if (isPresigned) throw new AuthenticationFault('several_credentials');
  if (authorization.startsWith('AWS ')) throw new AuthenticationFault('signature_v2');
  if (authorization.startsWith('AWS4-ECDSA')) throw new AuthenticationFault('signature_v4a');
}

function toStoreError(fault: AuthenticationFault, region: string): ServiceError {
  const { reason, facts } = fault;
  const code = reasonCodes[reason] ?? 'AccessDenied';
  const fields = {
    ...(code === 'AuthorizationHeaderMalformed' ? { Region: region } : {}),
    ...(facts.headersNotSigned === undefined ? {} : { HeadersNotSigned: facts.headersNotSigned.join(', ') }),
    ...(facts.stringToSign === undefined ? {} : { StringToSign: facts.stringToSign }),
    ...(facts.canonicalRequest === undefined ? {} : { CanonicalRequest: facts.canonicalRequest }),
    ...(facts.requestTime === undefined ? {} : { RequestTime: isoSeconds(facts.requestTime.getTime()) }),
    ...(facts.serverTime === undefined
      ? {}
      : {
          ServerTime: isoSeconds(facts.serverTime.getTime()),
          MaxAllowedSkewMilliseconds: String(maxClockSkewMs),
        }),
  };
  return storeError(code, facts.message === undefined ? { fields } : { fields, message: facts.message });
}

/** Compares a body with the digest its signature was made over. Throws XAmzContentSHA256Mismatch. */
export function verifyPayload(payload: BoundPayload, body: Buffer): void {
  if (payload.kind !== 'digest') return;
  const computed = createHash('sha256').update(body).digest('hex');
  if (computed === payload.sha256) return;
  throw storeError('XAmzContentSHA256Mismatch', {
    fields: { ClientComputedContentSHA256: payload.sha256, S3ComputedContentSHA256: computed },
  });
}
