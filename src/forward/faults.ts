import { ServiceError, type ServiceErrorOptions } from '../core/service-error.ts';

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

/** What the client is told because of what the store has answered: an error with S3's own code. */
export class StoreRefusalError extends ServiceError {
  /** The status that the store has answered with, where the client must not know it. For the log. */
  readonly hiddenStatus: number | undefined;

  constructor(
    code: string,
    status: number,
    message: string,
    { hiddenStatus, ...options }: ServiceErrorOptions & { readonly hiddenStatus?: number } = {},
  ) {
    super(code, status, message, options);
    this.hiddenStatus = hiddenStatus;
  }
}

/**
 * The object does not exist, which the store has said with that status, and the caller, who may not list the bucket, is not told
 * so.
 */
export function missingHidden(hiddenStatus: number): StoreRefusalError {
  return new StoreRefusalError('AccessDenied', 403, 'Access Denied', { hiddenStatus });
}

/** The store does not implement the operation. What it does instead is neither requested nor shown. */
export function operationUnknown(detail: string): StoreRefusalError {
  return new StoreRefusalError('NotImplemented', 501, 'The store does not have this operation.', { detail });
}
