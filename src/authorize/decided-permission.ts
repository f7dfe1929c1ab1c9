import type { ConditionKey, Permission } from '../s3/operation.ts';
import type { AccessDecision } from './decide.ts';

/** A permission with its decision. */
export interface DecidedPermission {
  readonly permission: Permission;
  /** The condition keys that the request had in this decision. */
  readonly requestKeys: readonly ConditionKey[];
  readonly decision: AccessDecision;
  /** True when allowed, and when audit mode relaxes the deny. */
  readonly isPermitted: boolean;
}
