import type { DecisionBudget } from './budget.ts';
import type { RequestContext } from './request-context.ts';

/** The caller, in the terms of the Principal element. */
export interface PolicyPrincipal {
  readonly kind: 'anonymous' | 'root' | 'user' | 'role-session' | 'federated-user' | 'web-identity' | 'saml';
  /** Twelve digits; empty when anonymous. */
  readonly accountId: string;
  /**
   * The caller's own ARN: of the user, the assumed-role session, the federated user, or the account's root. Empty
   * for anonymous, web-identity and saml callers.
   */
  readonly arn: string;
  /** ARN (with path) of the role behind a role session, or of the user behind a federated-user session. */
  readonly entityArn?: string;
  /** True when a permissions boundary bounds the caller; set by `decide`. */
  readonly isBounded?: boolean;
  /** ARN of the identity provider that authenticated a web-identity or SAML caller. */
  readonly federatedProvider?: string;
}

/** One question: may this principal perform this action on this resource? */
export interface AuthorizationQuery {
  readonly principal: PolicyPrincipal;
  /** `service:Name`, compared ignoring case. */
  readonly action: string;
  /** The full ARN; its `*` and `?` are literal. Trust policies ignore it. */
  readonly resource: string;
  readonly context: RequestContext;
  /**
   * True to ask only whether a Deny names the resource in its Resource element. Denies with NotResource and Allow statements
   * do not count, so a decision other than an explicit deny says nothing.
   */
  readonly isDenyOnly?: boolean | undefined;
  /**
   * True when an implicit deny refuses as an explicit one does, as everywhere but in audit mode. What no policy allows is then denied
   * without a look-up, and the caller is not told whether a Deny on a tag would have applied.
   */
  readonly isEnforced?: boolean | undefined;
  /** Shared by the decisions of one request. By default a decision has its own. */
  readonly budget?: DecisionBudget;
}
