import type { Denied } from '../authorize/authorize-s3.ts';
import { ServiceError } from '../core/service-error.ts';

/** Why a request failed at the store; also the value of the metric's `reason` label. */
export type UpstreamReason =
  | 'connect'
  | 'connect_timeout'
  | 'headers_timeout'
  | 'body_timeout'
  | 'reset'
  | 'store_authentication'
  | 'protocol';

/** The store could not be reached, did not answer, or refused the sidecar's own credentials. */
export class UpstreamFault extends Error {
  override readonly name = 'UpstreamFault';
  readonly reason: UpstreamReason;

  constructor(reason: UpstreamReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

/** The condition of a write does not hold, as the store said when it was asked. */
export class ConditionUnmet extends ServiceError {}

/** The client has disconnected. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** The store's result contains nothing that the caller may see. */
export class ResultRefused extends Error {
  override readonly name = 'ResultRefused';
  readonly refusal: Denied;

  constructor(refusal: Denied) {
    super('the caller may see nothing of the result');
    this.refusal = refusal;
  }
}

/** The object does not exist, and the caller, who may not list the bucket, is not told so. */
export class MissingHidden extends Error {
  override readonly name = 'MissingHidden';
}

/** The store does not implement the operation. What it does instead is neither requested nor shown. */
export class OperationUnknown extends Error {
  override readonly name = 'OperationUnknown';
}

/** The bucket whose configuration the request would change does not exist. */
export class BucketMissing extends Error {
  override readonly name = 'BucketMissing';
}
