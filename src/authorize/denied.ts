import type { Asker } from '../authenticate/caller.ts';
import { explainDenial } from '../iam/explain.ts';
import type { ContextEntry } from '../iam/key-table.ts';
import type { Permission } from '../s3/operation.ts';
import type { AccessDecision } from './decide.ts';
import type { DecidedPermission } from './decided-permission.ts';

/** A denied request. */
export interface Denied {
  readonly isAllowed: false;
  readonly decision: AccessDecision;
  /** AWS's message, which tells anonymous callers nothing: the caller, the action, the resource, and the kind of policy that is missing or denies. */
  readonly message: string;
  /** The permission that was denied. */
  readonly permission: Permission;
  /** The context of the decision. */
  readonly context: readonly ContextEntry[];
}

/** Builds the denied request from one denied permission. */
export function deniedRequest(
  { permission, decision }: Pick<DecidedPermission, 'permission' | 'decision'>,
  asker: Asker,
  context: readonly ContextEntry[],
): Denied {
  const { action, resource } = permission;
  const reason = explainDenial(decision, action);
  const message =
    asker.kind === 'anonymous'
      ? 'Access Denied'
      : `User: ${asker.arn} is not authorized to perform: ${action} on resource: "${resource}" ${reason}`;
  return {
    isAllowed: false,
    decision,
    message,
    permission,
    context,
  };
}
