import type { Decision, PolicyType } from './combine.ts';

const missingPolicy: Readonly<Record<PolicyType, string>> = {
  identity: 'no identity-based policy allows',
  boundary: 'no permissions boundary allows',
  session: 'no session policy allows',
  resource: 'no resource-based policy allows',
};

const denyingPolicy: Readonly<Record<PolicyType, string>> = {
  identity: 'an identity-based policy',
  boundary: 'a permissions boundary',
  session: 'a session policy',
  resource: 'a resource-based policy',
};

/**
 * The end of AWS's access denied message (IAM user guide, "Troubleshoot access denied error messages"), for example
 * `because no session policy allows the s3:GetObject action`. It names the kind of policy, never the policy itself.
 * @param action as it should be shown, `s3:GetObject`.
 */
export function explainDenial(decision: Decision, action: string): string {
  return decision.isExplicitDeny
    ? `with an explicit deny in ${denyingPolicy[decision.policyType]}`
    : `because ${missingPolicy[decision.policyType]} the ${action} action`;
}
