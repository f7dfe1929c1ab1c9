/** The purpose of a request to a provider. */
export type IdentityOperation = 'discovery' | 'jwks' | 'token_review' | 'userinfo' | 'custom_token' | 'probe';

/** One request to an identity provider. */
export interface IdentityRequest {
  /** The configured name of the provider. */
  readonly provider: string;
  readonly operation: IdentityOperation;
  /** `success`, or the reason of the fault. */
  readonly outcome: string;
  readonly durationSeconds: number;
  /** The error, for the log. Contains no credentials. */
  readonly detail?: string;
}

/** Receives the events between the sidecar and its identity providers, for metrics and log. */
export interface IdentityObserver {
  requested(request: IdentityRequest): void;
  /** Called when the signing keys of a provider were fetched and are usable. */
  keysRefreshed(provider: string, epochSeconds: number): void;
}
