/** What a provider is asked for over the network. */
export type IdentityOperation = 'discovery' | 'jwks' | 'token_review' | 'userinfo' | 'custom_token' | 'probe';

/** One request to an identity provider. */
export interface IdentityRequest {
  /** The configured name of the provider. */
  readonly provider: string;
  readonly operation: IdentityOperation;
  /** `success`, or the reason of the fault. */
  readonly outcome: string;
  readonly durationSeconds: number;
  /** What went wrong, for the log; holds no credentials. */
  readonly detail?: string;
}

/** Receives what happens between the sidecar and its identity providers, for metrics and log. */
export interface IdentityObserver {
  requested(request: IdentityRequest): void;
  /** The signing keys of a provider were fetched and usable. */
  keysRefreshed(provider: string, epochSeconds: number): void;
}
