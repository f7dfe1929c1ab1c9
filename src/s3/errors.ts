import type { AuthenticationFault, AuthenticationReason } from '../core/authentication-fault.ts';
import { ServiceError, type ServiceErrorOptions } from '../core/service-error.ts';

/** An error code of the S3 table. */
export type S3ErrorCode =
  | 'AccessDenied'
  | 'AuthorizationHeaderMalformed'
  | 'AuthorizationQueryParametersError'
  | 'BadRequest'
  | 'EntityTooLarge'
  | 'EntityTooSmall'
  | 'ExpiredToken'
  | 'IncompleteBody'
  | 'InternalError'
  | 'InvalidAccessKeyId'
  | 'InvalidArgument'
  | 'InvalidBucketName'
  | 'InvalidChunkSizeError'
  | 'InvalidDigest'
  | 'InvalidPolicyDocument'
  | 'BadDigest'
  | 'InvalidRequest'
  | 'InvalidTag'
  | 'InvalidToken'
  | 'InvalidURI'
  | 'KeyTooLongError'
  | 'MalformedPOSTRequest'
  | 'MalformedTrailerError'
  | 'MalformedXML'
  | 'MaxMessageLengthExceeded'
  | 'MaxPostPreDataLengthExceeded'
  | 'MethodNotAllowed'
  | 'MissingContentLength'
  | 'NoSuchBucket'
  | 'NoSuchKey'
  | 'NoSuchUpload'
  | 'NotImplemented'
  | 'PreconditionFailed'
  | 'RequestHeaderSectionTooLarge'
  | 'RequestTimeTooSkewed'
  | 'RequestTimeout'
  | 'ServiceUnavailable'
  | 'GatewayTimeout'
  | 'SignatureDoesNotMatch'
  | 'SlowDown'
  | 'XAmzContentSHA256Mismatch';

/** HTTP status and public text of every S3 error code the sidecar itself can answer. */
const table: Readonly<Record<S3ErrorCode, readonly [status: number, text: string]>> = {
  AccessDenied: [403, 'Access Denied'],
  AuthorizationHeaderMalformed: [400, 'The authorization header that you provided is not valid.'],
  AuthorizationQueryParametersError: [400, 'The query parameters that sign the request are not valid.'],
  BadRequest: [400, 'The request could not be read.'],
  EntityTooLarge: [400, 'Your proposed upload exceeds the maximum allowed object size.'],
  EntityTooSmall: [400, 'Your proposed upload is smaller than the minimum allowed object size.'],
  ExpiredToken: [400, 'The provided token has expired.'],
  IncompleteBody: [
    400,
    'You did not provide the number of bytes specified by the Content-Length HTTP header.',
  ],
  InternalError: [500, 'We encountered an internal error. Please try again.'],
  InvalidAccessKeyId: [403, 'The AWS Access Key Id you provided does not exist in our records.'],
  InvalidArgument: [400, 'Invalid Argument'],
  InvalidBucketName: [400, 'The specified bucket is not valid.'],
  InvalidChunkSizeError: [403, 'Only the last chunk is allowed to have a size less than 8192 bytes.'],
  InvalidDigest: [400, 'The Content-MD5 you specified is not valid.'],
  InvalidPolicyDocument: [
    400,
    'The content of the form does not meet the conditions specified in the policy document.',
  ],
  BadDigest: [
    400,
    'The Content-MD5 or checksum value that you specified did not match what the server received.',
  ],
  InvalidRequest: [400, 'Invalid Request'],
  InvalidTag: [400, 'The tag provided was not a valid tag.'],
  InvalidToken: [400, 'The provided token is malformed or otherwise invalid.'],
  InvalidURI: [400, "Couldn't parse the specified URI."],
  KeyTooLongError: [400, 'Your key is too long.'],
  MalformedPOSTRequest: [400, 'The body of your POST request is not well-formed multipart/form-data.'],
  MalformedTrailerError: [
    400,
    'The request contained trailing data that was not well-formed or did not conform to our published schema.',
  ],
  MalformedXML: [
    400,
    'The XML that you provided was not well formed or did not validate against our published schema.',
  ],
  MaxMessageLengthExceeded: [400, 'Your request was too large.'],
  MaxPostPreDataLengthExceeded: [400, 'Your POST request fields preceding the upload file were too large.'],
  MethodNotAllowed: [405, 'The specified method is not allowed against this resource.'],
  MissingContentLength: [411, 'You must provide the Content-Length HTTP header.'],
  NoSuchBucket: [404, 'The specified bucket does not exist'],
  NoSuchKey: [404, 'The specified key does not exist.'],
  NoSuchUpload: [
    404,
    'The specified multipart upload does not exist. The upload ID might be invalid, or the multipart upload might have been aborted or completed.',
  ],
  NotImplemented: [501, 'A header or query you provided implies functionality that is not implemented.'],
  PreconditionFailed: [412, 'At least one of the preconditions you specified did not hold.'],
  RequestHeaderSectionTooLarge: [400, 'Your request header section exceeds the maximum allowed size.'],
  RequestTimeTooSkewed: [403, 'The difference between the request time and the current time is too large.'],
  RequestTimeout: [
    400,
    'Your socket connection to the server was not read from or written to within the timeout period.',
  ],
  ServiceUnavailable: [503, 'The store behind this endpoint is not available. Please try again.'],
  GatewayTimeout: [504, 'The store behind this endpoint did not answer in time.'],
  SignatureDoesNotMatch: [
    403,
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  ],
  SlowDown: [503, 'Please reduce your request rate.'],
  XAmzContentSHA256Mismatch: [
    400,
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
  ],
};

/** Every code with its HTTP status and text, for the reference page. */
export function s3ErrorTable(): ReadonlyMap<string, readonly [status: number, text: string]> {
  return new Map(Object.entries(table));
}

/** Makes an error of the table; `message` replaces the code's own text. */
export function s3Error(code: S3ErrorCode, message?: string, options?: ServiceErrorOptions): ServiceError {
  const [status, text] = table[code];
  return new ServiceError(code, status, message ?? text, options);
}

/** The S3 error code for each reason of a failed authentication (order and codes: AWS, observed 2026-11). */
const authenticationCodes: Readonly<Record<AuthenticationReason, readonly [S3ErrorCode, string?]>> = {
  no_credentials: ['AccessDenied'],
  several_credentials: ['InvalidArgument', 'Only one auth mechanism allowed'],
  signature_v2: [
    'InvalidRequest',
    'Signature Version 2 is not supported. Please use AWS4-HMAC-SHA256 (for boto3: signature_version="s3v4").',
  ],
  signature_v4a: ['NotImplemented', 'Signature Version 4A is not supported. Please use AWS4-HMAC-SHA256.'],
  malformed_presigned: ['AuthorizationQueryParametersError'],
  presigned_not_yet_valid: ['AccessDenied', 'Request is not valid yet'],
  presigned_expired: ['AccessDenied', 'Request has expired'],
  malformed_form: ['InvalidArgument'],
  misplaced_form: ['MethodNotAllowed', 'A form can be posted to a bucket only.'],
  duplicate_header: ['InvalidArgument'],
  malformed_authorization: ['AuthorizationHeaderMalformed'],
  unsupported_authorization: ['InvalidArgument', 'Unsupported Authorization Type'],
  region_not_allowed: ['AuthorizationHeaderMalformed'],
  date_missing: ['AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header'],
  scope_date_mismatch: [
    'AuthorizationHeaderMalformed',
    'The credential date is not the day of the request date.',
  ],
  clock_skew: ['RequestTimeTooSkewed'],
  payload_hash_missing: ['InvalidRequest', 'Missing required header for this request: x-amz-content-sha256'],
  payload_hash_invalid: [
    'InvalidArgument',
    'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a streaming value, or a valid sha256 value.',
  ],
  payload_hash_mismatch: ['XAmzContentSHA256Mismatch'],
  streaming_unsupported: [
    'NotImplemented',
    'Chunks signed with Signature Version 4A are not supported. Please use AWS4-HMAC-SHA256.',
  ],
  streaming_not_allowed: [
    'InvalidRequest',
    'Streaming payloads are accepted for PutObject and UploadPart only.',
  ],
  headers_not_signed: ['AccessDenied', 'There were headers present in the request which were not signed'],
  unknown_access_key: ['InvalidAccessKeyId'],
  invalid_token: ['InvalidToken'],
  expired_token: ['ExpiredToken'],
  revoked_token: ['ExpiredToken'],
  revocations_unknown: [
    'ServiceUnavailable',
    'Whether the session was revoked is not known at the moment. Please try again.',
  ],
  signature_mismatch: ['SignatureDoesNotMatch'],
};

// Reasons whose own message names the faulty part of the request; none can carry a secret.
const showsOwnMessage: ReadonlySet<AuthenticationReason> = new Set([
  'duplicate_header',
  'malformed_authorization',
  'malformed_form',
  'malformed_presigned',
  'region_not_allowed',
]);

/** AWS's own limit on heads. Longer ones say nothing to a reader, and escaping makes six times as much of them. */
const maxCanonicalRequest = 8192;

/** Turns a failed authentication into the S3 error that AWS would answer. */
export function s3AuthenticationError(fault: AuthenticationFault): ServiceError {
  const [code, text] = authenticationCodes[fault.reason];
  const message = showsOwnMessage.has(fault.reason) ? fault.facts.message : text;
  return s3Error(code, message, { fields: publicFields(fault), cause: fault, ...detailOf(fault) });
}

function detailOf(fault: AuthenticationFault): ServiceErrorOptions {
  return fault.facts.detail === undefined ? {} : { detail: fault.facts.detail };
}

function publicFields(fault: AuthenticationFault): Record<string, string> {
  const { requestTime, serverTime, expiresAt, expiresSeconds } = fault.facts;
  const { headersNotSigned, stringToSign, canonicalRequest, accessKeyId } = fault.facts;
  const fields: Record<string, string> = {};
  if (fault.reason === 'clock_skew' && requestTime !== undefined && serverTime !== undefined) {
    fields['RequestTime'] = requestTime.toISOString();
    fields['ServerTime'] = serverTime.toISOString();
    fields['MaxAllowedSkewMilliseconds'] = '900000';
  }
  if (expiresAt !== undefined && serverTime !== undefined) {
    fields['X-Amz-Expires'] = String(expiresSeconds);
    fields['Expires'] = expiresAt.toISOString();
    fields['ServerTime'] = serverTime.toISOString();
  }
  if (headersNotSigned !== undefined) fields['HeadersNotSigned'] = headersNotSigned.join(', ');
  if (stringToSign !== undefined) fields['StringToSign'] = stringToSign;
  if (canonicalRequest !== undefined)
    fields['CanonicalRequest'] = canonicalRequest.slice(0, maxCanonicalRequest);
  if (fault.reason === 'unknown_access_key' && accessKeyId !== undefined)
    fields['AWSAccessKeyId'] = accessKeyId;
  return fields;
}
