import type { AccessDecision } from '../authorize/decide.ts';
import { explainDenial } from '../iam/explain.ts';
import type { AuthorizationQuery } from '../iam/query.ts';

/** Why a trust decision denies, for the log. */
export function denialDetail({ fault, isExplicitDeny, policyType }: AccessDecision): string {
  if (fault !== undefined) return `deciding failed: ${String(fault)}`;
  return `${isExplicitDeny ? 'explicitly denied' : 'not allowed'} by the ${policyType} policies`;
}

/**
 * The public text of a denial. Its end depends on the caller's own policies alone, never on the role: what the trust
 * policy says, and whether there is one, does not show.
 */
export function denialMessage(callerArn: string, query: AuthorizationQuery, own: AccessDecision): string {
  const reason = ownReason(own);
  const denial = `User: ${callerArn} is not authorized to perform: ${query.action} on resource: ${query.resource}`;
  return reason === undefined ? denial : `${denial} ${explainDenial({ ...own, ...reason }, query.action)}`;
}

const ownPolicyTypes = ['identity', 'boundary', 'session'] as const;

/** Which of the caller's own sets refuses; `undefined` when all of them allow. */
function ownReason({
  sets,
}: AccessDecision): Pick<AccessDecision, 'policyType' | 'isExplicitDeny'> | undefined {
  const denying = ownPolicyTypes.find((policyType) => sets[policyType] === 'deny');
  if (denying !== undefined) return { policyType: denying, isExplicitDeny: true };
  const silent = ownPolicyTypes.find((policyType) => sets[policyType] === 'none');
  return silent === undefined ? undefined : { policyType: silent, isExplicitDeny: false };
}
