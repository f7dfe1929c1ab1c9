import type { Decision, SetEffects } from './combine.ts';

const missingPolicy: Readonly<Record<Exclude<Decision['policyType'], 'none'>, string>> = {
  identity: 'no identity-based policy allows',
  boundary: 'no permissions boundary allows',
  session: 'no session policy allows',
  scopeDown: 'no scope-down policy allows',
  resource: 'no resource-based policy allows',
};

const denyingPolicy: typeof missingPolicy = {
  identity: 'an identity-based policy',
  boundary: 'a permissions boundary',
  session: 'a session policy',
  scopeDown: 'a scope-down policy',
  resource: 'a resource-based policy',
};

/** What an explanation needs of a decision. */
export type Explained = Pick<Decision, 'policyType' | 'isExplicitDeny'> & {
  readonly sets?: Pick<SetEffects, 'scopeDownLayer'>;
};

/**
 * The end of AWS's access denied message (IAM user guide, "Troubleshoot access denied error messages"), for example
 * `because no session policy allows the s3:GetObject action`. It names the kind of policy, never the policy itself.
 * Of several scope-down policies it says which one, by its position: `(layer 2)`. The message for a decision that could not be
 * made blames no policy.
 * @param action the action as it should be shown, for example `s3:GetObject`.
 */
export function explainDenial({ policyType, isExplicitDeny, sets }: Explained, action: string): string {
  if (policyType === 'none') return 'because the authorization decision could not be made';
  const said = isExplicitDeny
    ? `with an explicit deny in ${denyingPolicy[policyType]}`
    : `because ${missingPolicy[policyType]} the ${action} action`;
  const layer = policyType === 'scopeDown' ? sets?.scopeDownLayer : undefined;
  return layer === undefined ? said : `${said} (layer ${layer})`;
}
