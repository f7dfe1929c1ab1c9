import type { ConditionTest } from './conditions/condition.ts';
import type { PrincipalTest } from './match-principal.ts';
import type { ResourceRange, ResourceTest } from './match-resource.ts';

/** Names one statement of one policy, for audit records and explanations. */
export interface StatementReference {
  readonly policy: string;
  readonly sid?: string;
  /** Position in the document, from 0. */
  readonly index: number;
}

/** A statement as closures over operands that were parsed at load. */
export interface CompiledStatement {
  readonly reference: StatementReference;
  readonly effect: 'Allow' | 'Deny';
  /** Takes the action in lower case. */
  readonly matchesAction: (action: string) => boolean;
  /**
   * Names of the S3 buckets that hold every resource the statement applies to; `undefined` when they cannot be told
   * from the text alone. Narrows the index only.
   */
  readonly buckets: ReadonlySet<string> | undefined;
  /** Every resource that the statement applies to starts with this; tested first, because it decides most often. */
  readonly resourcePrefix: string;
  /** What each pattern of Resource, or of NotResource, can match. */
  readonly ranges: readonly ResourceRange[];
  /** Whether the patterns are of NotResource. */
  readonly excludesResources: boolean;
  readonly matchesResource: ResourceTest;
  /** `undefined` when the kind of policy has no Principal. */
  readonly principalLevel: PrincipalTest | undefined;
  readonly conditions: readonly ConditionTest[];
}
