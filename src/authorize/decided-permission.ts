import type { Permission } from '../s3/operation.ts';
import type { AccessDecision } from './decide.ts';

/** One decided permission. */
export interface DecidedPermission {
  readonly permission: Permission;
  readonly decision: AccessDecision;
  /** True when allowed, and when the refusal is only recorded. */
  readonly isPermitted: boolean;
}
