/** How an authorization decision came about, as far as logs, metrics and audit need it. */
export interface DecisionFacts {
  readonly decision: 'allow' | 'deny';
  /** The kind of policy that decided, for example `identity` or `session`. */
  readonly policyType: string;
  readonly matchedPolicy?: string;
  readonly matchedSid?: string;
  readonly isEnforced: boolean;
  /** Microseconds spent deciding. */
  readonly durationUs: number;
}

/** The facts of one finished request. Assembled by the edge from what the stages return; rendered by observe. */
export interface RequestRecord {
  readonly requestId: string;
  readonly service: 's3' | 'sts' | 'none';
  /** An S3 operation or STS action of the tables; `Unknown` for anything else, so that labels stay bounded. */
  readonly operation: string;
  readonly method: string;
  readonly bucket?: string;
  readonly key?: string;
  readonly principalArn?: string;
  readonly accessKeyId?: string;
  readonly sourceIp: string;
  readonly userAgent?: string;
  readonly traceId?: string;
  readonly status: number;
  /** Empty for a success. */
  readonly errorCode?: string;
  /** The precise cause, for the log only. */
  readonly errorDetail?: string;
  readonly authenticationFailure?: string;
  readonly upstreamFailure?: string;
  readonly upstreamRequestId?: string;
  readonly decision?: DecisionFacts;
  readonly issuedCredentials?: boolean;
  /** Configured name of the identity provider that an STS request was about. */
  readonly identityProvider?: string;
  readonly isAborted: boolean;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
  readonly upstreamMs?: number;
  readonly firstByteMs?: number;
}
