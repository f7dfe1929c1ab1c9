import { explainDenial } from '../iam/explain.ts';
import type { Permission } from '../s3/operation.ts';
import type { AccessDecision } from './decide.ts';
import type { DecidedPermission } from './decided-permission.ts';
import type { ContextEntry } from './global-keys.ts';

/** A request that was refused. */
export interface Denied {
  readonly isAllowed: false;
  readonly decision: AccessDecision;
  /** AWS's words: who may not do what on which resource, and which kind of policy is missing or denied it. */
  readonly message: string;
  /** The permission that was refused. */
  readonly permission: Permission;
  /** The context that it was refused in. */
  readonly context: readonly ContextEntry[];
}

/** The refusal of a permission to the caller with that ARN. */
export function deniedRequest(
  { permission, decision }: Pick<DecidedPermission, 'permission' | 'decision'>,
  callerArn: string,
  context: readonly ContextEntry[],
): Denied {
  const { action, resource } = permission;
  const reason = explainDenial(decision, action);
  return {
    isAllowed: false,
    decision,
    message: `User: ${callerArn} is not authorized to perform: ${action} on resource: "${resource}" ${reason}`,
    permission,
    context,
  };
}
