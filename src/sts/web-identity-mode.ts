import { canonicalProviderArn } from '../directory/provider-role.ts';
import type { Role } from '../directory/role.ts';
import type { StsDependencies } from './action.ts';
import { fullRoleArn } from './trust-decision.ts';

/** How AssumeRoleWithWebIdentity finds what a token is good for. No mode falls through to another. */
export type WebIdentityMode =
  /** As in AWS: a role of the directory, whose trust policy decides. */
  | { readonly kind: 'trust-policy' }
  /** As in MinIO: the role of one identity provider; `undefined` when there is none of that ARN. */
  | { readonly kind: 'provider'; readonly role: Role | undefined };

/**
 * Chooses the mode by the RoleArn of a request: a role of the directory, or the generated ARN of a provider, means that
 * and nothing else. Any other, which SDKs send because they must, is for the claim-mode provider where there is one.
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
