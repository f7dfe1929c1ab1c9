/** Why an identity token was not accepted. */
export type IdentityReason =
  /** Not a signed token, or of a form that no provider accepts. */
  | 'malformed'
  | 'unknown_issuer'
  | 'wrong_audience'
  | 'bad_signature'
  /** Keys were fetched, but none of them is usable or verifies the token. */
  | 'no_key'
  | 'expired'
  | 'not_yet_valid'
  /** A required claim is missing or of the wrong type, or a forbidden claim is present. */
  | 'bad_claims'
  /** It may be used once, and has been. */
  | 'replayed'
  /** Too many calls wait for the provider. It was not asked. */
  | 'provider_busy'
  /** The provider could not be reached. */
  | 'provider_unreachable'
  /** The provider answered, but its answer cannot be used. */
  | 'bad_answer'
  /** The provider rejected the token. */
  | 'provider_rejected'
  /** The provider denied the token, with a reason that the caller may see. */
  | 'provider_denied';

/** Optional facts of an {@link IdentityFault}. */
export interface IdentityFaultFacts {
  /** Name of the configured provider, once it is known. */
  readonly provider?: string;
  /** For the log only. Never contains any part of the token. */
  readonly detail?: string;
  readonly cause?: unknown;
}

/**
 * An identity token that was not accepted. `message` may be shown to the caller: it says nothing that the token does not say.
 */
export class IdentityFault extends Error {
  override readonly name = 'IdentityFault';
  readonly reason: IdentityReason;
  readonly provider: string | undefined;
  readonly detail: string | undefined;

  constructor(reason: IdentityReason, message: string, facts: IdentityFaultFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.reason = reason;
    this.provider = facts.provider;
    this.detail = facts.detail;
  }
}
