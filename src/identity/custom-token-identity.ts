/** The user that a webhook has identified. */
export interface CustomTokenIdentity {
  /** The configured name of the provider. A bounded value, fit for a metric label. */
  readonly provider: string;
  /** 1 to 255 characters. */
  readonly user: string;
  /** The longest session that the webhook allows, in seconds: 900 to 31536000. */
  readonly maxValiditySeconds: number;
}
