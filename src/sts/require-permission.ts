import { performance } from 'node:perf_hooks';
import { type AccessDecision, decisionFacts, PacedDecisions, settled } from '../authorize/decide.ts';
import { policyPrincipal } from '../authorize/gather-policies.ts';
import { globalKeys } from '../authorize/global-keys.ts';
import type { ContextEntry } from '../iam/key-table.ts';
import { RequestContext } from '../iam/request-context.ts';
import type { SignedCall } from './action.ts';
import { accessDenied, denialDetail } from './denial.ts';

/**
 * Requires that the caller's own policies allow an action, and that its session has not ended meanwhile. `further` are context
 * keys besides the global ones.
 * @throws ServiceError AccessDenied
 * @throws AuthenticationFault `expired_token`, `revoked_token` or `revocations_unknown`
 * @throws ClientGone
 */
export async function requirePermission(
  action: string,
  resource: string,
  call: SignedCall,
  further: readonly ContextEntry[] = [],
): Promise<AccessDecision> {
  const { authenticated, dependencies, trace } = call;
  const { raw, caller, region } = authenticated;
  const entries = [...globalKeys(raw, caller, region), ...further];
  const query = {
    principal: policyPrincipal(caller),
    action,
    resource,
    context: new RequestContext(entries),
  };
  const startedAt = performance.now();
  const decisions = new PacedDecisions(trace.client);
  const own = await decisions.gather(dependencies.policies, caller);
  const decision = settled(await decisions.decide(own, query));
  trace.add({ decision: decisionFacts(decision, (performance.now() - startedAt) * 1000) });
  authenticated.recheck(dependencies.clock.now());
  if (decision.effect === 'allow') return decision;
  throw accessDenied({ action, resource, context: entries, own: decision }, call, denialDetail(decision));
}
