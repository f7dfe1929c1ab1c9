/** The name of a sink; a label of `sts_sidecar_audit_events_total`. */
export type SinkName = 'stdout' | 'file' | 'webhook' | 'otlp';

/** Where the records of one sink go. */
export interface Destination {
  readonly name: SinkName;
  /** How much is delivered at a time. A single record may have more bytes. */
  readonly batch: { readonly lines: number; readonly bytes: number };
  /** True when a failure means that nothing can be kept, as on a full disk; false for one that may pass, as of a network. */
  readonly isLocal: boolean;
  /**
   * Checks that records can be delivered, before the first one.
   * @throws SinkError
   */
  open(): Promise<void>;
  /**
   * Delivers lines, each of which ends in a line feed. They are delivered again when this fails, to a local
   * destination with the same first line.
   * @returns how many were accepted; the others never will be
   * @throws SinkError
   */
  deliver(lines: readonly string[]): Promise<number>;
  close(): Promise<void>;
}

/** Records could not be delivered. The message quotes no record and no secret. */
export class SinkError extends Error {
  override readonly name = 'SinkError';
  /** True when these records are refused, however often they are delivered. */
  readonly isFinal: boolean;
  /** True when the destination says that it takes nothing at the moment, whatever is delivered. */
  readonly isBusy: boolean;

  constructor(
    message: string,
    options: { readonly isFinal?: boolean; readonly isBusy?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.isFinal = options.isFinal ?? false;
    this.isBusy = options.isBusy ?? false;
  }
}

/** The code of a system error, such as `ENOSPC`. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code).slice(0, 64) : 'unknown error';
}
