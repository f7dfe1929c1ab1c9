import { ServiceError } from '../../core/service-error.ts';
import { type S3ErrorCode, s3Error } from '../../s3/errors.ts';

/** The S3 error codes that only a store answers with. */
type OwnErrorCode =
  | 'BucketAlreadyOwnedByYou'
  | 'BucketNotEmpty'
  | 'EntityTooSmall'
  | 'IllegalLocationConstraintException'
  | 'InvalidPart'
  | 'InvalidPartOrder'
  | 'InvalidRange'
  | 'MetadataTooLarge'
  | 'NoSuchVersion'
  | 'PreconditionFailed';

/**
 * HTTP status and public text of those codes.
 * Source: AWS "Amazon S3 API Reference", "Error responses".
 */
const ownErrors: Readonly<Record<OwnErrorCode, readonly [status: number, text: string]>> = {
  BucketAlreadyOwnedByYou: [409, 'the bucket you tried to create already exists, and you own it'],
  BucketNotEmpty: [409, 'the bucket you tried to delete is not empty'],
  EntityTooSmall: [400, 'every part but the last must have at least 5 MiB'],
  IllegalLocationConstraintException: [400, 'the location constraint does not name the region of this store'],
  InvalidPart: [400, 'a part could not be found, or its entity tag or checksum did not match'],
  InvalidPartOrder: [400, 'the list of parts was not in ascending order'],
  InvalidRange: [416, 'the requested range is not satisfiable'],
  MetadataTooLarge: [400, 'your metadata headers exceed the maximum allowed metadata size'],
  NoSuchVersion: [404, 'the specified version does not exist'],
  PreconditionFailed: [412, 'at least one of the preconditions you specified did not hold'],
};

/** A code that the demo store answers with. */
export type StoreErrorCode = S3ErrorCode | OwnErrorCode;

/** Public details of a refusal. */
export interface StoreErrorFacts {
  /** Replaces the table's text. */
  readonly message?: string;
  /** Elements rendered beside Code and Message. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** The error of that code, with its usual status and text. */
export function storeError(
  code: StoreErrorCode,
  { message, fields = {} }: StoreErrorFacts = {},
): ServiceError {
  if (!isOwn(code)) return s3Error(code, message, { fields });
  const [status, text] = ownErrors[code];
  return new ServiceError(code, status, message ?? text, { fields });
}

function isOwn(code: StoreErrorCode): code is OwnErrorCode {
  return Object.hasOwn(ownErrors, code);
}
