import type { ContextEntry } from '../../iam/request-context.ts';

/** A part of a question, for messages that say which part is wrong. */
export type QuestionField =
  | 'principal'
  | 'webIdentityProvider'
  | 'samlProvider'
  | 'sessionToken'
  | 'mfaAgeSeconds'
  | 'federatedBy'
  | 'policyNames'
  | 'sessionPolicy'
  | 'sessionPolicyArns'
  | 'scopeDown'
  | 'tags'
  | 'action'
  | 'resource'
  | 'context'
  | 'absent';

/** The caller: a principal of the directory, an anonymous one (`*`), or the holder of an identity provider's token. */
export interface Asking {
  /**
   * The ARN of a user, of root, of a role, of a provider's generated role, of a session of a role, or of a federated user;
   * `*` for anonymous.
   */
  readonly principal?: string | undefined;
  /** Name, issuer or ARN of a configured provider; instead of `principal`. */
  readonly webIdentityProvider?: string | undefined;
  /** Name, entity id or ARN of a configured provider; instead of `principal`. */
  readonly samlProvider?: string | undefined;
  /** Whether a user, or root, asks with temporary credentials of its own (GetSessionToken). */
  readonly sessionToken?: boolean | undefined;
  /** Age in seconds of the MFA code that those credentials were requested with; absent when there was none. */
  readonly mfaAgeSeconds?: number | undefined;
  /** The ARN of the user, or of root, that called GetFederationToken. */
  readonly federatedBy?: string | undefined;
  /** Managed policies by name, as the token of a claim-mode provider lists them. */
  readonly policyNames?: readonly string[] | undefined;
  /** The text of an inline session policy. */
  readonly sessionPolicy?: string | undefined;
  readonly sessionPolicyArns: readonly string[];
  /** The texts of scope-down policies, as they were passed to GetScopedCredentials one after the other. */
  readonly scopeDown: readonly string[];
  /** Session tags. */
  readonly tags: readonly (readonly [key: string, value: string])[];
}

/** What is known of the request besides principal, action and resource. */
export interface Circumstances {
  readonly context: readonly ContextEntry[];
  /** Context keys that the request does not have; prefixes that end in `/` for tags of what is in the store. */
  readonly absent: readonly string[];
}

/** An invalid question; `field` says which part is wrong. */
export class QuestionError extends Error {
  override readonly name = 'QuestionError';
  readonly field: QuestionField;

  constructor(field: QuestionField, message: string) {
    super(message);
    this.field = field;
  }
}
