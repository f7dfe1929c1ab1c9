import { canonicalProviderArn } from '../directory/provider-role.ts';
import type { Role } from '../directory/role.ts';
import type { StsDependencies } from './action.ts';
import { fullRoleArn } from './grants/trust-question.ts';

/** How AssumeRoleWithWebIdentity grants a role. No mode falls back to another. */
export type WebIdentityMode =
  /** As in AWS: a role of the directory, decided by its trust policy. */
  | { readonly kind: 'trust-policy' }
  /** As in MinIO: the role of one identity provider; `undefined` when no provider has a role with this ARN. */
  | { readonly kind: 'provider'; readonly role: Role | undefined };

/**
 * Chooses the mode by the RoleArn. The ARN of a role in the directory, or the generated ARN of a provider, means exactly that
 * role. Any other ARN, or none, means the claim-mode provider if there is one; SDKs always send an ARN.
 */
export function webIdentityMode(
  roleArn: string | undefined,
  { authentication, account }: Pick<StsDependencies, 'authentication' | 'account'>,
): WebIdentityMode {
  const { directory } = authentication;
  const generatedArn = roleArn === undefined ? undefined : canonicalProviderArn(roleArn);
  if (generatedArn !== undefined) return { kind: 'provider', role: directory.role(generatedArn) };
  const fullArn = roleArn === undefined ? undefined : fullRoleArn(roleArn, account.id);
  const role = fullArn === undefined ? undefined : directory.role(fullArn);
  const { claimRole } = directory;
  return role === undefined && claimRole !== undefined
    ? { kind: 'provider', role: claimRole }
    : { kind: 'trust-policy' };
}
