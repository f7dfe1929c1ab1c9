import { performance } from 'node:perf_hooks';
import { type AccessDecision, decisionFacts, PacedDecisions, settled } from '../authorize/decide.ts';
import { policyPrincipal } from '../authorize/gather-policies.ts';
import { globalKeys } from '../authorize/global-keys.ts';
import type { Explained } from '../iam/explain.ts';
import type { ContextEntry } from '../iam/key-table.ts';
import type { NearMiss } from '../iam/near-miss.ts';
import { RequestContext } from '../iam/request-context.ts';
import type { SignedCall } from './action.ts';
import { accessDenied, denialDetail } from './denial.ts';

/**
 * Requires that the caller's own policies allow an action, and that its session has not ended meanwhile. `further` are context
 * keys besides the global ones.
 * @throws ServiceError AccessDenied
 * @throws AuthenticationFault `expired_token`, `revoked_token` or `revocations_unknown`
 * @throws ClientGoneError
 */
export async function requirePermission(
  action: string,
  resource: string,
  call: SignedCall,
  further: readonly ContextEntry[] = [],
): Promise<AccessDecision> {
  const asked = await decideOwn(action, resource, call, further);
  const { decision } = asked;
  if (decision.effect === 'deny') throw refusalOf(asked, call);
  call.trace.add({ decision: decisionFacts(decision, asked.durationUs) });
  return decision;
}

/**
 * Refuses an action that needs no permission when the caller's own policies deny it explicitly, on any of these resources, or when
 * that cannot be decided.
 * @throws the same as {@link requirePermission}
 */
export async function refuseExplicitDeny(
  action: string,
  resources: readonly string[],
  call: SignedCall,
  further: readonly ContextEntry[],
): Promise<void> {
  for (const resource of resources) {
    const asked = await decideOwn(action, resource, call, further);
    const { isExplicitDeny, fault } = asked.decision;
    if (!isExplicitDeny && fault === undefined) continue;
    throw refusalOf(asked, call);
  }
}

/** A decision of the caller's own policies. */
interface OwnDecision {
  readonly action: string;
  readonly resource: string;
  readonly context: readonly ContextEntry[];
  readonly decision: AccessDecision;
  readonly durationUs: number;
  /** Finds the Allow that came closest. */
  readonly nearest: (denied: Explained) => NearMiss | undefined;
}

async function decideOwn(
  action: string,
  resource: string,
  { authenticated, dependencies, trace }: SignedCall,
  further: readonly ContextEntry[],
): Promise<OwnDecision> {
  const { raw, caller, region } = authenticated;
  const context = [...globalKeys(raw, caller, region), ...further];
  const query = {
    principal: policyPrincipal(caller),
    action,
    resource,
    context: new RequestContext(context),
  };
  const startedAt = performance.now();
  const decisions = new PacedDecisions(trace.client);
  const own = await decisions.gather(dependencies.policies, caller);
  const decision = settled(await decisions.decide(own, query));
  const durationUs = (performance.now() - startedAt) * 1000;
  authenticated.recheck(dependencies.clock.now());
  const nearest = (denied: Explained): NearMiss | undefined => decisions.nearest(own, query, denied);
  return { action, resource, context, decision, durationUs, nearest };
}

function refusalOf(asked: OwnDecision, call: SignedCall): Error {
  const nearMiss = asked.nearest(asked.decision);
  const decision = { ...asked.decision, nearMiss };
  call.trace.add({ decision: decisionFacts(decision, asked.durationUs) });
  const refused = { ...asked, own: decision, nearest: () => nearMiss };
  return accessDenied(refused, call, denialDetail(decision));
}
