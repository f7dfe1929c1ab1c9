import type { Authenticated } from '../authenticate/authenticate.ts';
import { decideRange } from '../iam/could-allow.ts';
import type { Permission, S3Request } from '../s3/operation.ts';
import { isAudited, isUnallowedOnly } from './decide.ts';
import { type Denied, deniedRequest } from './denied.ts';
import { policyPrincipal } from './gather-policies.ts';
import { type AuthorizationSources, PermissionDecider } from './permission-decider.ts';

/**
 * The refusal of a batch before its body is read: the policies allow the caller none of the actions that an item needs,
 * whatever key of the bucket it names and in whatever context. `undefined` for a batch of which some item could be allowed,
 * and for requests that are no batch. The store is not asked. Says too little sometimes, never refuses what
 * {@link authorizeS3} would allow.
 */
export function refuseBatch(
  request: S3Request,
  authenticated: Authenticated,
  sources: AuthorizationSources,
): Denied | undefined {
  const { itemActions = [] } = request.operation.document ?? {};
  const [action] = itemActions;
  const [own] = request.permissions;
  // The permissions of a batch whose body has been read are those of its items.
  if (action === undefined || own === undefined) return undefined;
  const permission: Permission = { action, resource: `${own.resource}/*`, object: undefined };
  const { caller } = authenticated;
  const sets = sources.policies.withBucketPolicy(sources.policies.gather(caller), permission.resource);
  const range = { principal: policyPrincipal(caller), prefix: `${own.resource}/` };
  const decisions = itemActions.map((one) => decideRange(sets, { ...range, action: one }));
  const [decision] = decisions;
  const isRelaxed = isAudited(caller, sources.enforcement);
  const couldPass = decisions.some((one) => one.effect === 'allow' || (isRelaxed && isUnallowedOnly(one)));
  if (decision === undefined || couldPass) return undefined;
  const decider = new PermissionDecider(request, authenticated, sources);
  return deniedRequest({ permission, decision }, caller.arn, decider.contextOf(permission));
}
