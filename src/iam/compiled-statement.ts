import type { Condition } from './conditions/condition.ts';
import type { PrincipalTest } from './match-principal.ts';
import type { ResourceRange, ResourceTest } from './match-resource.ts';

/** Names one statement of one policy, for audit records and explanations. */
export interface StatementReference {
  readonly policy: string;
  readonly sid?: string;
  /** Position in the document, from 0. */
  readonly index: number;
}

/** A statement compiled into closures over operands that were parsed at load. */
export interface CompiledStatement {
  readonly reference: StatementReference;
  readonly effect: 'Allow' | 'Deny';
  /** Takes the action in lower case. */
  readonly matchesAction: (action: string) => boolean;
  /**
   * Names of the S3 buckets that hold every resource the statement applies to; `undefined` when the text alone does not
   * say. Only the index uses it.
   */
  readonly buckets: ReadonlySet<string> | undefined;
  /** The common prefix of every resource that the statement applies to; tested first, because it is cheap. */
  readonly resourcePrefix: string;
  /** One for each pattern of Resource or NotResource. */
  readonly ranges: readonly ResourceRange[];
  /** True when the patterns are those of NotResource. */
  readonly excludesResources: boolean;
  readonly matchesResource: ResourceTest;
  /** `undefined` when the kind of policy has no Principal. */
  readonly principalLevel: PrincipalTest | undefined;
  readonly conditions: readonly Condition[];
}
