import { alwaysThere, type WaitingClient } from '../core/client-gone.ts';
import { type MaybePromise, whenReady } from '../core/maybe-promise.ts';
import { DecisionBudget } from '../iam/budget.ts';
import type { PolicySets } from '../iam/combine.ts';
import { decideRange } from '../iam/could-allow.ts';
import { nearestStatement } from '../iam/near-miss.ts';
import type { Permission, S3Request } from '../s3/operation.ts';
import type { Identified } from './asker.ts';
import { isAudited, isUnallowedOnly } from './decide.ts';
import { DecisionContexts } from './decision-contexts.ts';
import { type Denied, deniedRequest } from './denied.ts';
import { gatherInTurn } from './gather-in-turn.ts';
import { policyPrincipal } from './gather-policies.ts';
import { Pace } from './pace.ts';
import type { AuthorizationSources } from './permission-decider.ts';

/**
 * Denies a batch before its body is read, when the policies allow the caller none of the actions that an item needs, on any
 * key of the bucket and in any context. `undefined` when an item could be allowed, and for requests that are not a batch.
 * Asks the store nothing. Never denies what `authorizeS3` would allow; the reverse is possible.
 * @param client who waits for the answer.
 * @throws ClientGoneError
 */
export function refuseBatch(
  request: S3Request,
  identified: Identified,
  sources: AuthorizationSources,
  client: WaitingClient = alwaysThere,
): MaybePromise<Denied | undefined> {
  const { itemActions = [] } = request.operation.document ?? {};
  // A batch whose body has been read has the permissions of its items and none of its own.
  if (itemActions.length === 0 || request.permissions.length === 0) return undefined;
  const pace = new Pace(new DecisionBudget(), client);
  return whenReady(gatherInTurn(sources.policies, identified.caller, pace), (own) =>
    refusalOf(itemActions, own, { request, identified, sources }),
  );
}

interface UnreadBatch {
  readonly request: S3Request;
  readonly identified: Identified;
  readonly sources: AuthorizationSources;
}

function refusalOf(
  itemActions: readonly string[],
  policies: PolicySets,
  { request, identified, sources }: UnreadBatch,
): Denied | undefined {
  const [action] = itemActions;
  const [own] = request.permissions;
  if (action === undefined || own === undefined) return undefined;
  const permission: Permission = { action, resource: `${own.resource}/*`, object: undefined };
  const { caller } = identified;
  const sets = sources.policies.withBucketPolicy(policies, permission.resource);
  const range = { principal: policyPrincipal(caller), prefix: `${own.resource}/` };
  const decisions = itemActions.map((one) => decideRange(sets, { ...range, action: one }));
  const [decision] = decisions;
  const isRelaxed = isAudited(caller, sources.enforcement);
  const couldPass = decisions.some((one) => one.effect === 'allow' || (isRelaxed && isUnallowedOnly(one)));
  if (decision === undefined || couldPass) return undefined;
  const contexts = new DecisionContexts(request, identified, new DecisionBudget());
  const context = contexts.of(permission, request.conditionKeys, [], () => undefined);
  const query = { principal: range.principal, action, resource: permission.resource, context };
  const explained = { ...decision, nearMiss: nearestStatement(sets, query, decision) };
  return deniedRequest({ permission, decision: explained }, caller, contexts.list(permission));
}
