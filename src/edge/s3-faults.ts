import { AuthenticationFault } from '../core/authentication-fault.ts';
import { BodyFault, type BodyReason } from '../core/body-fault.ts';
import { BudgetExhaustedError } from '../core/byte-budget.ts';
import { ServiceError } from '../core/service-error.ts';
import { UpstreamFault, type UpstreamReason } from '../forward/faults.ts';
import { type S3ErrorCode, s3AuthenticationError, s3Error } from '../s3/errors.ts';
import { NoPlaceError } from './place.ts';
import { RateExceededError } from './request-rates.ts';

const bodyCodes: Readonly<Record<BodyReason, S3ErrorCode>> = {
  length_missing: 'MissingContentLength',
  length_invalid: 'BadRequest',
  too_large: 'EntityTooLarge',
  document_too_large: 'MaxMessageLengthExceeded',
  unexpected: 'InvalidRequest',
  incomplete: 'IncompleteBody',
  idle: 'RequestTimeout',
  fragmented: 'InvalidRequest',
  digest_mismatch: 'XAmzContentSHA256Mismatch',
  md5_invalid: 'InvalidDigest',
  md5_mismatch: 'BadDigest',
  chunk_malformed: 'IncompleteBody',
  chunk_too_small: 'InvalidChunkSizeError',
  chunk_signature_mismatch: 'SignatureDoesNotMatch',
  trailer_malformed: 'MalformedTrailerError',
  trailer_unsupported: 'InvalidRequest',
  form_head_too_large: 'MaxPostPreDataLengthExceeded',
  form_continues: 'InvalidArgument',
  checksum_invalid: 'InvalidRequest',
  checksum_mismatch: 'BadDigest',
};

const bodyMessages: Readonly<Partial<Record<BodyReason, string>>> = {
  fragmented: 'The body came in too many pieces of a few bytes.',
  checksum_invalid: 'An x-amz-checksum-* header is not the base64 form of such a checksum.',
  chunk_malformed: 'The chunks of the aws-chunked body are malformed.',
  form_continues:
    'POST requires exactly one file upload per request, and after the file nothing but the closing boundary and a line end.',
  trailer_unsupported: 'x-amz-trailer must name one x-amz-checksum-* that is not also sent as a header.',
};

// Never 403: clients would take a store that is down or misconfigured for a denial.
const upstreamCodes: Readonly<Record<UpstreamReason, S3ErrorCode>> = {
  connect: 'ServiceUnavailable',
  connect_timeout: 'ServiceUnavailable',
  headers_timeout: 'GatewayTimeout',
  body_timeout: 'GatewayTimeout',
  reset: 'ServiceUnavailable',
  store_authentication: 'ServiceUnavailable',
  protocol: 'ServiceUnavailable',
};

/** Maps any error to an S3 error. An unknown one becomes InternalError and reveals nothing. */
export function toS3Error(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof AuthenticationFault) return s3AuthenticationError(error);
  if (error instanceof BodyFault)
    return s3Error(bodyCodes[error.reason], bodyMessages[error.reason], { cause: error });
  if (error instanceof UpstreamFault) {
    return s3Error(upstreamCodes[error.reason], undefined, { cause: error, detail: error.message });
  }
  if (
    error instanceof NoPlaceError ||
    error instanceof RateExceededError ||
    error instanceof BudgetExhaustedError
  )
    return s3Error('SlowDown', undefined, { cause: error, detail: error.message });
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : 'a value was thrown';
  return s3Error('InternalError', undefined, { cause: error, detail });
}
