import type { ContextEntry } from '../../iam/request-context.ts';

/** A part of a question, for messages that say which part is wrong. */
export type QuestionField =
  | 'principal'
  | 'webIdentityProvider'
  | 'sessionPolicy'
  | 'sessionPolicyArns'
  | 'tags'
  | 'action'
  | 'resource'
  | 'context'
  | 'absent';

/** Who asks: somebody of the directory, anonymous callers (`*`), or whom an identity provider vouches for. */
export interface Asking {
  /** The ARN of a user, a role or a session of a role; `*` for anonymous. */
  readonly principal?: string | undefined;
  /** Name, issuer or ARN of a configured provider; instead of `principal`. */
  readonly webIdentityProvider?: string | undefined;
  /** The text of an inline session policy. */
  readonly sessionPolicy?: string | undefined;
  readonly sessionPolicyArns: readonly string[];
  /** Session tags. */
  readonly tags: readonly (readonly [key: string, value: string])[];
}

/** What is known of the request beside who asks for what. */
export interface Circumstances {
  readonly context: readonly ContextEntry[];
  /** Context keys that the request does not have; prefixes that end in `/` for tags of what is in the store. */
  readonly absent: readonly string[];
}

/** A question that cannot be asked: `field` is wrong. */
export class QuestionError extends Error {
  override readonly name = 'QuestionError';
  readonly field: QuestionField;

  constructor(field: QuestionField, message: string) {
    super(message);
    this.field = field;
  }
}
