/**
 * Why a caller could not be authenticated, in words that belong to no protocol. The S3 and the STS error table
 * each map every reason to their own code and status, so neither can forget one.
 */
export type AuthenticationReason =
  | 'no_credentials'
  | 'several_credentials'
  | 'signature_v2'
  | 'signature_v4a'
  | 'malformed_presigned'
  | 'presigned_not_yet_valid'
  | 'presigned_expired'
  | 'malformed_form'
  | 'misplaced_form'
  | 'duplicate_header'
  | 'malformed_authorization'
  | 'unsupported_authorization'
  | 'region_not_allowed'
  | 'date_missing'
  | 'scope_date_mismatch'
  | 'clock_skew'
  | 'payload_hash_missing'
  | 'payload_hash_invalid'
  | 'payload_hash_mismatch'
  | 'streaming_unsupported'
  | 'streaming_not_allowed'
  | 'headers_not_signed'
  | 'unknown_access_key'
  | 'invalid_token'
  | 'expired_token'
  | 'revoked_token'
  | 'revocations_unknown'
  | 'signature_mismatch';

/** Facts a reason may carry; each protocol decides what of it is public. */
export interface AuthenticationFaultFacts {
  /** What is wrong, safe to show: names a part of the request, never a secret or an expected signature. */
  readonly message?: string;
  readonly requestTime?: Date;
  readonly serverTime?: Date;
  /** When a presigned request ended, and the lifetime it was given. */
  readonly expiresAt?: Date;
  readonly expiresSeconds?: number;
  readonly headersNotSigned?: readonly string[];
  readonly stringToSign?: string;
  readonly canonicalRequest?: string;
  readonly accessKeyId?: string;
  readonly detail?: string;
}

/** Thrown by signature parsing and authentication; carries a neutral reason instead of a protocol's code. */
export class AuthenticationFault extends Error {
  override readonly name = 'AuthenticationFault';
  readonly reason: AuthenticationReason;
  readonly facts: AuthenticationFaultFacts;

  constructor(reason: AuthenticationReason, facts: AuthenticationFaultFacts = {}) {
    super(facts.message ?? reason);
    this.reason = reason;
    this.facts = facts;
  }
}
