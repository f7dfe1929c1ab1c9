/** Which parts of an S3 store an action is asked about. */
export type ActionScope = 'service' | 'bucket' | 'object';

/** An action that some request asks policies about. */
export interface KnownAction {
  /** AWS's spelling, for example `s3:GetObject`. */
  readonly name: string;
  /** What its resources are; `undefined` for an action whose resources are not of the store, or not of one kind. */
  readonly scopes?: ReadonlySet<ActionScope> | undefined;
}

/** A condition key that requests can have, or that AWS has and requests here never do. */
export interface KnownKey {
  /** AWS's spelling; a name that ends in `/` stands for every key below it. */
  readonly name: string;
  /** Why no request has it here; absent for a key that requests have. */
  readonly never?: string | undefined;
}

/**
 * The words that policies can use to some effect. Only `app` knows who decides what; it hands this in, so that the
 * configuration need not know S3 or STS.
 */
export interface PolicyVocabulary {
  /** Of identity and bucket policies. */
  readonly actions: readonly KnownAction[];
  /** Of trust policies. */
  readonly trustActions: readonly KnownAction[];
  /** Of the services whose keys are known here; the claims of identity providers are not among them. */
  readonly keys: readonly KnownKey[];
}
