import type { Denied } from '../authorize/authorize-s3.ts';

/** What went wrong on the way to the store; also the value of the `reason` label. */
export type UpstreamReason =
  | 'connect'
  | 'connect_timeout'
  | 'headers_timeout'
  | 'body_timeout'
  | 'reset'
  | 'store_authentication'
  | 'protocol';

/** The store could not be asked, did not answer, or refused the sidecar's own credentials. */
export class UpstreamFault extends Error {
  override readonly name = 'UpstreamFault';
  readonly reason: UpstreamReason;

  constructor(reason: UpstreamReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

/** The client went away; nothing can be answered. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** The answer holds nothing that the caller may see. */
export class ResultRefused extends Error {
  override readonly name = 'ResultRefused';
  readonly refusal: Denied;

  constructor(refusal: Denied) {
    super('the caller may see nothing of the answer');
    this.refusal = refusal;
  }
}

/** The object is missing, but the caller may not list the bucket and so may not learn it. */
export class MissingHidden extends Error {
  override readonly name = 'MissingHidden';
}

/** The store does not have the operation: what it would do instead must not happen, or not be shown. */
export class OperationUnknown extends Error {
  override readonly name = 'OperationUnknown';
}

/** The bucket whose configuration is to be changed does not exist. */
export class BucketMissing extends Error {
  override readonly name = 'BucketMissing';
}
