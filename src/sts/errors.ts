import type {
  AuthenticationFault,
  AuthenticationFaultFacts,
  AuthenticationReason,
} from '../core/authentication-fault.ts';
import { isoSeconds } from '../core/clock.ts';
import { ServiceError, type ServiceErrorOptions } from '../core/service-error.ts';

/** An error code of the STS table. */
export type StsErrorCode =
  | 'AccessDenied'
  | 'ExpiredToken'
  | 'ExpiredTokenException'
  | 'IDPCommunicationError'
  | 'IDPRejectedClaim'
  | 'IncompleteSignature'
  | 'InsufficientSessionLifetime'
  | 'InternalFailure'
  | 'InvalidAction'
  | 'InvalidAuthorizationMessageException'
  | 'InvalidClientTokenId'
  | 'InvalidIdentityToken'
  | 'InvalidParameterCombination'
  | 'InvalidParameterValue'
  | 'InvalidQueryParameter'
  | 'InvalidSubjectCredentials'
  | 'MalformedPolicyDocument'
  | 'MalformedQueryString'
  | 'MethodNotAllowed'
  | 'MissingAction'
  | 'MissingAuthenticationToken'
  | 'PackedPolicyTooLarge'
  | 'RegionDisabledException'
  | 'RequestEntityTooLarge'
  | 'RequestTimeout'
  | 'ServiceUnavailable'
  | 'SignatureDoesNotMatch'
  | 'Throttling'
  | 'ValidationError';

/**
 * HTTP status and public text of every STS error code. Sources: AWS STS API Reference 2011-06-15 (errors of each action, common
 * errors). Where live AWS answers another code than the reference, the live code stands here (recorded 2026-11).
 */
const table: Readonly<Record<StsErrorCode, readonly [status: number, text: string]>> = {
  AccessDenied: [403, 'Access denied.'],
  ExpiredToken: [403, 'The security token included in the request is expired'],
  ExpiredTokenException: [400, 'The identity token is expired.'],
  IDPCommunicationError: [400, 'The identity provider could not be reached.'],
  IDPRejectedClaim: [403, 'The identity provider rejected the token.'],
  IncompleteSignature: [400, 'The request signature does not conform to AWS standards.'],
  InsufficientSessionLifetime: [
    400,
    'The requested DurationSeconds exceeds what is left of the calling session.',
  ],
  InternalFailure: [500, 'The request processing has failed because of an unknown error.'],
  InvalidAction: [400, 'The action or operation requested is invalid.'],
  InvalidAuthorizationMessageException: [400, 'The encoded authorization message is not valid.'],
  InvalidClientTokenId: [403, 'The security token included in the request is invalid.'],
  InvalidIdentityToken: [400, 'The identity token is not valid.'],
  InvalidParameterCombination: [400, 'Parameters that must not be used together were used together.'],
  InvalidParameterValue: [400, 'A parameter has a value that it cannot have.'],
  InvalidQueryParameter: [400, 'A query parameter is malformed or occurs twice.'],
  InvalidSubjectCredentials: [400, 'The calling session is not a valid session.'],
  MalformedPolicyDocument: [400, 'The policy document is malformed.'],
  MalformedQueryString: [404, 'The query string contains a syntax error.'],
  MethodNotAllowed: [405, 'Requests to this service use GET or POST.'],
  MissingAction: [400, 'The request is missing an action or a required parameter.'],
  MissingAuthenticationToken: [403, 'Request is missing Authentication Token'],
  PackedPolicyTooLarge: [400, 'The packed session policies and tags are too large.'],
  RegionDisabledException: [403, 'STS is not activated in the requested region.'],
  RequestEntityTooLarge: [413, 'The request body is too large.'],
  RequestTimeout: [400, 'The request did not arrive in time. Please try again.'],
  ServiceUnavailable: [503, 'The service is not available. Please try again.'],
  SignatureDoesNotMatch: [
    403,
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  ],
  Throttling: [400, 'Rate exceeded'],
  ValidationError: [400, 'The input fails to satisfy the constraints of the service.'],
};

/** Every code with its HTTP status and text, for the reference page. */
export function stsErrorTable(): ReadonlyMap<string, readonly [status: number, text: string]> {
  return new Map(Object.entries(table));
}

/** Creates an error of the table. `message` replaces the code's default text. */
export function stsError(code: StsErrorCode, message?: string, options?: ServiceErrorOptions): ServiceError {
  const [status, text] = table[code];
  return new ServiceError(code, status, message ?? text, options);
}

type PublicText = string | ((facts: AuthenticationFaultFacts) => string | undefined);

const ownMessage: PublicText = ({ message }) =>
  message === undefined ? undefined : `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;

// STS hashes the body itself, so any other value means that the signature does not match.
const wrongPayloadHash = 'x-amz-content-sha256 must be the SHA-256 digest of the request body.';

/** The error of a call whose audit record could not be kept, while `audit.failClosed` is set. */
export function auditUnavailable(): ServiceError {
  return stsError('ServiceUnavailable', undefined, { detail: 'the audit record cannot be kept' });
}

/** The STS error for each reason of a failed authentication. Without a text, the default text of the code is used. */
const authenticationCodes: Readonly<Record<AuthenticationReason, readonly [StsErrorCode, PublicText?]>> = {
  no_credentials: ['MissingAuthenticationToken'],
  several_credentials: ['IncompleteSignature', 'Only one authentication mechanism is allowed.'],
  signature_v2: ['IncompleteSignature', 'Signature Version 2 is not supported. Use AWS4-HMAC-SHA256.'],
  signature_v4a: ['IncompleteSignature', 'Signature Version 4A is not supported. Use AWS4-HMAC-SHA256.'],
  malformed_presigned: ['IncompleteSignature', ownMessage],
  presigned_not_yet_valid: ['SignatureDoesNotMatch', skewMessage],
  presigned_expired: ['SignatureDoesNotMatch', skewMessage],
  malformed_form: ['MalformedQueryString'],
  misplaced_form: ['MalformedQueryString'],
  duplicate_header: ['IncompleteSignature', ownMessage],
  malformed_authorization: ['IncompleteSignature', ownMessage],
  unsupported_authorization: ['IncompleteSignature', ownMessage],
  region_not_allowed: ['RegionDisabledException'],
  date_missing: [
    'IncompleteSignature',
    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
  ],
  scope_date_mismatch: [
    'SignatureDoesNotMatch',
    'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.',
  ],
  clock_skew: ['SignatureDoesNotMatch', skewMessage],
  payload_hash_missing: ['SignatureDoesNotMatch', wrongPayloadHash],
  payload_hash_invalid: ['SignatureDoesNotMatch', wrongPayloadHash],
  payload_hash_mismatch: ['SignatureDoesNotMatch', wrongPayloadHash],
  streaming_unsupported: ['SignatureDoesNotMatch', wrongPayloadHash],
  streaming_not_allowed: ['SignatureDoesNotMatch', wrongPayloadHash],
  headers_not_signed: ['SignatureDoesNotMatch', unsignedHeaderMessage],
  unknown_access_key: ['InvalidClientTokenId'],
  invalid_token: ['InvalidClientTokenId'],
  expired_token: ['ExpiredToken'],
  revoked_token: ['ExpiredToken'],
  revocations_unknown: ['ServiceUnavailable'],
  signature_mismatch: ['SignatureDoesNotMatch'],
};

/** Converts a failed authentication into the STS error that AWS would return. */
export function stsAuthenticationError(fault: AuthenticationFault): ServiceError {
  const [code, text] = authenticationCodes[fault.reason];
  const { detail } = fault.facts;
  const message = typeof text === 'function' ? text(fault.facts) : text;
  return stsError(code, message, { cause: fault, ...(detail === undefined ? {} : { detail }) });
}

const skewMs = 900_000;

/** The message for a request signed too long ago or too far ahead, with times in ISO 8601 basic form. */
function skewMessage({ requestTime, serverTime }: AuthenticationFaultFacts): string | undefined {
  if (requestTime === undefined || serverTime === undefined) return undefined;
  const server = basicTime(serverTime.getTime());
  const request = basicTime(requestTime.getTime());
  return requestTime < serverTime
    ? `Signature expired: ${request} is now earlier than ${basicTime(serverTime.getTime() - skewMs)} (${server} - 15 min.)`
    : `Signature not yet current: ${request} is still later than ${basicTime(serverTime.getTime() + skewMs)} (${server} + 15 min.)`;
}

function basicTime(epochMs: number): string {
  return isoSeconds(epochMs).replaceAll(/[-:]/g, '');
}

function unsignedHeaderMessage({ headersNotSigned }: AuthenticationFaultFacts): string | undefined {
  const [name] = headersNotSigned ?? [];
  if (name === undefined) return undefined;
  const shown = name.slice(0, 64).replaceAll(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
  return `'${shown}' must be a 'SignedHeader' in the AWS Authorization.`;
}
