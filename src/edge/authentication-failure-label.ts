import type { AuthenticationReason } from '../core/authentication-fault.ts';
import type { AuthenticationFailure } from '../core/request-record.ts';

const labels: Readonly<Record<AuthenticationReason, AuthenticationFailure>> = {
  no_credentials: 'malformed',
  several_credentials: 'malformed',
  signature_v2: 'malformed',
  signature_v4a: 'malformed',
  malformed_presigned: 'malformed',
  presigned_not_yet_valid: 'clock_skew',
  presigned_expired: 'expired_token',
  malformed_form: 'malformed',
  misplaced_form: 'malformed',
  duplicate_header: 'malformed',
  malformed_authorization: 'malformed',
  unsupported_authorization: 'malformed',
  region_not_allowed: 'malformed',
  date_missing: 'malformed',
  scope_date_mismatch: 'malformed',
  clock_skew: 'clock_skew',
  payload_hash_missing: 'malformed',
  payload_hash_invalid: 'malformed',
  payload_hash_mismatch: 'signature_mismatch',
  streaming_unsupported: 'malformed',
  streaming_not_allowed: 'malformed',
  headers_not_signed: 'signature_mismatch',
  unknown_access_key: 'unknown_key',
  invalid_token: 'unknown_key',
  expired_token: 'expired_token',
  revoked_token: 'revoked',
  revocations_unknown: 'state_unavailable',
  signature_mismatch: 'signature_mismatch',
};

/** The value of the `reason` label of `sts_sidecar_authn_failures_total`. */
export function authenticationFailureLabel(reason: AuthenticationReason): AuthenticationFailure {
  return labels[reason];
}
