/**
 * A near miss in one sentence, in the pieces that stand one after the other. `requested` is what comes from the request, which can be
 * part of an object key; the sentence is complete without it.
 */
export interface NearMissSentence {
  readonly before: string;
  readonly requested: string;
  readonly after: string;
}

/** How an authorization decision came about, as far as logs, metrics and audit need it. */
export interface DecisionFacts {
  /** `error` for a refusal because the decision could not be made. */
  readonly decision: 'allow' | 'deny' | 'error';
  /** The kind of policy that decided, for example `identity` or `session`; `none` with an `error`. */
  readonly policyType: string;
  readonly matchedPolicy?: string;
  readonly matchedSid?: string;
  /** The Allow that came closest, of an implicit deny. */
  readonly nearMiss?: NearMissSentence;
  readonly isEnforced: boolean;
  /** Microseconds spent deciding. */
  readonly durationUs: number;
}

/** Why a caller is not known; the values of the `reason` label of `sts_sidecar_authn_failures_total`. */
export type AuthenticationFailure =
  | 'clock_skew'
  | 'expired_token'
  | 'malformed'
  | 'revoked'
  | 'signature_mismatch'
  | 'state_unavailable'
  | 'unknown_key';

/** A user of an identity provider whose proof was verified, with CloudTrail's names (`userIdentity`). */
export interface FederatedUser {
  readonly principalId: string;
  readonly userName: string;
  readonly identityProvider: string;
}

/** The facts of one finished request. Assembled by the edge from what the stages return; rendered by observe. */
export interface RequestRecord {
  readonly requestId: string;
  readonly service: 's3' | 'sts' | 'none';
  /** `container`: a request to the container credentials endpoint. `undefined` for the listener of S3 and STS. */
  readonly listener: 'container' | undefined;
  /** An S3 operation or STS action of the tables; `Unknown` for anything else, so that labels stay bounded. */
  readonly operation: string;
  readonly method: string;
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  readonly principalArn: string | undefined;
  /** A caller that has no ARN: one without credentials, or one whom only the store may know. */
  readonly caller: 'anonymous' | 'passthrough' | undefined;
  readonly accessKeyId: string | undefined;
  /** Of temporary credentials; what revokes this session alone. */
  readonly sessionId: string | undefined;
  readonly sourceIp: string;
  readonly userAgent: string | undefined;
  readonly traceId: string | undefined;
  readonly status: number;
  /** Empty for a success. */
  readonly errorCode: string | undefined;
  /** The precise cause, for the log only. */
  readonly errorDetail: string | undefined;
  readonly authenticationFailure: AuthenticationFailure | undefined;
  readonly upstreamFailure: string | undefined;
  readonly upstreamRequestId: string | undefined;
  /** The status of the store's answer, when the caller must not know it and is told another one. */
  readonly upstreamStatus: number | undefined;
  readonly decision: DecisionFacts | undefined;
  readonly issuedCredentials: boolean | undefined;
  /** The session that the issued credentials are of. */
  readonly issuedSessionId: string | undefined;
  readonly issuedAccessKeyId: string | undefined;
  /** When the issued credentials expire, RFC 3339. */
  readonly expiration: string | undefined;
  /**
   * Of an STS request. The role and the name are those that it asks for, until a session is issued. Subject and audience are those
   * of a verified proof, or of the calling session; the source identity is too, or what an authenticated caller asks for.
   */
  readonly roleArn: string | undefined;
  readonly sessionName: string | undefined;
  readonly subject: string | undefined;
  readonly audience: string | undefined;
  readonly sourceIdentity: string | undefined;
  /** Whose verified proof an unsigned STS request carries. For the audit record only. */
  readonly federatedUser: FederatedUser | undefined;
  /** What the caller says about the narrower session that it asks for. At most 256 characters. */
  readonly scopedSessionDescription: string | undefined;
  /** Configured name of the identity provider that an STS request was about. */
  readonly identityProvider: string | undefined;
  /** How an attempt to prove a second factor ended. */
  readonly mfaOutcome: string | undefined;
  readonly isAborted: boolean;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
  readonly upstreamMs: number | undefined;
  readonly firstByteMs: number | undefined;
}
