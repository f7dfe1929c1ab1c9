import type { WaitObserver } from './provider-room.ts';

/** Whom a webhook vouches for. */
export interface CustomTokenIdentity {
  /** The configured name of the provider; bounded, fit for a metric label. */
  readonly provider: string;
  /** 1 to 255 characters. */
  readonly user: string;
  /** The longest session that the webhook allows, in seconds: 900 to 31536000. */
  readonly maxValiditySeconds: number;
}

/** Every configured webhook, behind the one question the token service has. */
export interface CustomTokenProviders {
  /**
   * Whose token it is, as the provider of that name says; the observer hears when the call waits for it. Throws
   * `IdentityFault`.
   */
  identify(provider: string, token: string, observe?: WaitObserver): Promise<CustomTokenIdentity>;
}
