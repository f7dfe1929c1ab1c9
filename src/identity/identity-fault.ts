/** Why an identity token was not accepted. */
export type IdentityReason =
  /** Not a signed token, or one that no provider's rules allow. */
  | 'malformed'
  | 'unknown_issuer'
  | 'wrong_audience'
  | 'bad_signature'
  /** Keys were fetched and none of them is the token's, or none is usable. */
  | 'no_key'
  | 'expired'
  | 'not_yet_valid'
  /** A claim that must be there is missing or of the wrong kind, or one that must not be there is. */
  | 'bad_claims'
  /** It may be used once, and was. */
  | 'replayed'
  /** Too many calls wait for the provider; this one was not put to it. */
  | 'provider_busy'
  /** The provider could not be asked. */
  | 'provider_unreachable'
  /** The provider was asked, and its answer says nothing. */
  | 'bad_answer'
  /** The provider was asked and said no. */
  | 'provider_rejected'
  /** The provider was asked and said no in words that are meant for the caller. */
  | 'provider_denied';

/** Further facts of an {@link IdentityFault}. */
export interface IdentityFaultFacts {
  /** Name of the configured provider, once it is known. */
  readonly provider?: string;
  /** For the log only; never holds the token or a part of it. */
  readonly detail?: string;
  readonly cause?: unknown;
}

/** An identity token that was not accepted. `message` is fit for the caller: it tells what the token itself says. */
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
