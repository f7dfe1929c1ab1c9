/** Extra facts of a {@link ServiceError}; everything but `fields` stays inside the process. */
export interface ServiceErrorOptions {
  /** Public elements rendered beside Code and Message, for example `HeadersNotSigned`. */
  readonly fields?: Readonly<Record<string, string>>;
  /** What really happened, for the log only; never sent to the client. */
  readonly detail?: string;
  readonly cause?: unknown;
}

/**
 * A refusal or failure with a protocol's own stable code. Thrown anywhere below the edge, rendered once per
 * protocol at the edge. `message` is public text; sensitive detail belongs in `detail` and `cause`.
 */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  /** The protocol's code, for example `AccessDenied`. */
  readonly code: string;
  /** The HTTP status the protocol's error table gives to the code. */
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly detail: string | undefined;

  constructor(code: string, status: number, message: string, options: ServiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = status;
    this.fields = options.fields ?? {};
    this.detail = options.detail;
  }
}
