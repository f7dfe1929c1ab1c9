/** What an S3 action applies to. */
export type ActionScope = 'service' | 'bucket' | 'object';

/** An action that some request needs. */
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

/** The prefixes of condition keys that belong to services, all of whose keys are known here. */
export const servicePrefixes: ReadonlySet<string> = new Set(['aws', 'iam', 's3', 'saml', 'sts']);

/**
 * The actions and condition keys that have an effect in policies. `app` passes it in, so that `config` need not know S3 or
 * STS.
 */
export interface PolicyVocabulary {
  /** Of identity and bucket policies. */
  readonly actions: readonly KnownAction[];
  /** Of trust policies. */
  readonly trustActions: readonly KnownAction[];
  /** Keys of the services known here, without the claims of identity providers. */
  readonly keys: readonly KnownKey[];
}
