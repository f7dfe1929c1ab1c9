import type { EntityRecord, ProviderRoleRecord } from '../../directory/records.ts';
import type { PolicyKind } from '../../iam/document.ts';
import type { Path } from '../path.ts';
import type { PolicyVocabulary } from '../policy-vocabulary.ts';
import type { StatementParts } from './statement-parts.ts';
import type { ActionIndex, KeyIndex } from './word-index.ts';

/** What the texts of policies are compared with. */
export interface PolicySurroundings {
  readonly vocabulary: PolicyVocabulary;
  readonly account: { readonly id: string; readonly partition: string };
  readonly users: readonly Pick<EntityRecord, 'name' | 'path'>[];
  readonly roles: readonly Pick<EntityRecord, 'name' | 'path'>[];
  readonly providerRoles: readonly Pick<ProviderRoleRecord, 'name'>[];
  /** Issuers of the configured providers, without their schemes: the prefixes of their condition keys. */
  readonly issuers: readonly string[];
}

/** The policy that a statement belongs to, and where its warnings go. */
export interface CheckedPolicy {
  readonly kind: PolicyKind;
  /** Version 2012-10-17. */
  readonly hasVariables: boolean;
  readonly surroundings: PolicySurroundings;
  /** The actions that requests ask this kind of policy for. */
  readonly actions: ActionIndex;
  readonly keys: KeyIndex;
  /** Warns of the value at a path inside the policy. */
  readonly warn: (path: Path, message: string) => void;
  /** Warns of the key at a path inside the policy. */
  readonly warnAtKey: (path: Path, message: string) => void;
}

/** Finds one kind of text that can never match. The policy is valid all the same, and is used unchanged. */
export type PolicyCheck = (statement: StatementParts, policy: CheckedPolicy) => void;
