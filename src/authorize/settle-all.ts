import { type MaybePromise, whenReady } from '../core/maybe-promise.ts';
import type { Permission } from '../s3/operation.ts';
import type { DecidedPermission } from './decided-permission.ts';

type Settle = (permission: Permission) => MaybePromise<DecidedPermission>;

/**
 * Decides every permission of a request, one after the other. The first refusal decides.
 * @throws for a request without permissions, which is a bug and must not pass.
 */
export function settleAll(
  [first, ...others]: readonly Permission[],
  settle: Settle,
): MaybePromise<DecidedPermission> {
  if (first === undefined) throw new Error('a request without permissions');
  return whenReady(settle(first), (decided) =>
    others.length === 0 || !decided.isPermitted ? decided : settleOthers(decided, others, settle),
  );
}

async function settleOthers(
  first: DecidedPermission,
  others: readonly Permission[],
  settle: Settle,
): Promise<DecidedPermission> {
  let told = first;
  for (const permission of others) {
    const decided = await settle(permission);
    if (!decided.isPermitted) return decided;
    // A deny that audit mode relaxes is recorded rather than an allow.
    if (told.decision.effect === 'allow') told = decided;
  }
  return told;
}
