import { ServiceError } from '../../core/service-error.ts';

/**
 * The S3 error codes this store answers with: HTTP status and public text.
 * Source: AWS "Amazon S3 API Reference", "Error responses".
 */
const errors: Readonly<Record<StoreErrorCode, readonly [status: number, text: string]>> = {
  AccessDenied: [403, 'access denied'],
  AuthorizationHeaderMalformed: [400, 'the authorization header is malformed'],
  BadDigest: [400, 'the digest or checksum you specified did not match what was received'],
  BucketAlreadyOwnedByYou: [409, 'the bucket you tried to create already exists, and you own it'],
  BucketNotEmpty: [409, 'the bucket you tried to delete is not empty'],
  EntityTooLarge: [400, 'the body is larger than this demo store keeps'],
  EntityTooSmall: [400, 'every part but the last must have at least 5 MiB'],
  IllegalLocationConstraintException: [400, 'the location constraint does not name the region of this store'],
  InternalError: [500, 'an internal error occurred'],
  IncompleteBody: [400, 'the body is not what its framing and its length announce'],
  InvalidAccessKeyId: [403, 'the access key id you provided does not exist'],
  InvalidArgument: [400, 'invalid argument'],
  InvalidChunkSizeError: [403, 'only the last chunk may have less than 8192 bytes'],
  InvalidBucketName: [400, 'the specified bucket is not valid'],
  InvalidDigest: [400, 'the Content-MD5 you specified is not valid'],
  InvalidPart: [400, 'a part could not be found, or its entity tag or checksum did not match'],
  InvalidPartOrder: [400, 'the list of parts was not in ascending order'],
  InvalidRange: [416, 'the requested range is not satisfiable'],
  InvalidRequest: [400, 'invalid request'],
  InvalidToken: [400, 'the provided token is malformed or otherwise not valid'],
  InvalidURI: [400, 'the specified URI could not be parsed'],
  KeyTooLongError: [400, 'your key is too long'],
  MalformedTrailerError: [400, 'the trailer is not the one that was announced'],
  MalformedXML: [400, 'the XML you provided was not well-formed or did not validate'],
  MetadataTooLarge: [400, 'your metadata headers exceed the maximum allowed metadata size'],
  MissingContentLength: [411, 'you must provide the Content-Length HTTP header'],
  NoSuchBucket: [404, 'the specified bucket does not exist'],
  NoSuchKey: [404, 'the specified key does not exist'],
  NoSuchVersion: [404, 'the specified version does not exist'],
  NoSuchUpload: [404, 'the specified multipart upload does not exist'],
  NotImplemented: [501, 'this demo store does not implement the functionality the request implies'],
  PreconditionFailed: [412, 'at least one of the preconditions you specified did not hold'],
  RequestTimeTooSkewed: [403, 'the difference between the request time and the current time is too large'],
  SignatureDoesNotMatch: [
    403,
    'the signature we calculated does not match the signature you provided; check your key and signing method',
  ],
  XAmzContentSHA256Mismatch: [400, "the provided 'x-amz-content-sha256' does not match what was computed"],
};

/** A code of the store's error table. */
export type StoreErrorCode =
  | 'AccessDenied'
  | 'AuthorizationHeaderMalformed'
  | 'BadDigest'
  | 'BucketAlreadyOwnedByYou'
  | 'BucketNotEmpty'
  | 'EntityTooLarge'
  | 'EntityTooSmall'
  | 'IllegalLocationConstraintException'
  | 'InternalError'
  | 'IncompleteBody'
  | 'InvalidAccessKeyId'
  | 'InvalidArgument'
  | 'InvalidBucketName'
  | 'InvalidChunkSizeError'
  | 'InvalidDigest'
  | 'InvalidPart'
  | 'InvalidPartOrder'
  | 'InvalidRange'
  | 'InvalidRequest'
  | 'InvalidToken'
  | 'InvalidURI'
  | 'KeyTooLongError'
  | 'MalformedTrailerError'
  | 'MalformedXML'
  | 'MetadataTooLarge'
  | 'MissingContentLength'
  | 'NoSuchBucket'
  | 'NoSuchKey'
  | 'NoSuchUpload'
  | 'NoSuchVersion'
  | 'NotImplemented'
  | 'PreconditionFailed'
  | 'RequestTimeTooSkewed'
  | 'SignatureDoesNotMatch'
  | 'XAmzContentSHA256Mismatch';

/** Public details of a refusal. */
export interface StoreErrorFacts {
  /** Replaces the table's text. */
  readonly message?: string;
  /** Elements rendered beside Code and Message. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** The error of that code, with the status and text of the table. */
export function storeError(code: StoreErrorCode, facts: StoreErrorFacts = {}): ServiceError {
  const [status, message] = errors[code];
  return new ServiceError(code, status, facts.message ?? message, { fields: facts.fields ?? {} });
}
