import { isAudited, isUnallowedOnly } from '../../authorize/decide.ts';
import { policyPrincipal } from '../../authorize/gather-policies.ts';
import { asPaths, type PermissionQuestion } from '../../authorize/permission-as-path.ts';
import { isOfStore } from '../../authorize/store-keys.ts';
import { parseArn } from '../../core/arn.ts';
import { foldCase } from '../../core/fold-case.ts';
import { type Decision, decide, type NeedsKeys, type PolicySets } from '../../iam/combine.ts';
import type { AuthorizationQuery, PolicyPrincipal } from '../../iam/query.ts';
import { RequestContext } from '../../iam/request-context.ts';
import { lookupKeysOf } from '../../s3/lookup-keys.ts';
import { getScopedCredentials, scopeResources } from '../../sts/grants/scope-grant.ts';
import { decideTrustCase, type TrustCase } from '../../sts/grants/trust-question.ts';
import type { Asker } from './asker.ts';
import { type Simulated, s3Context } from './circumstances.ts';
import type { KnownAction } from './known-actions.ts';
import { QuestionError } from './question.ts';
import { checkPlace } from './refused-names.ts';
import { stsCase } from './sts-case.ts';
import type { World } from './world.ts';

/** A query with the policies that answer it. */
interface Case {
  readonly sets: PolicySets;
  readonly query: AuthorizationQuery;
  /** The context before the sidecar looks anything up. */
  readonly beforeLookUps: RequestContext;
  /** True when only a Deny whose Resource names it counts. */
  readonly isDenyOnly?: boolean | undefined;
}

/** A question with its answer, and the policies that gave it. */
export interface DecidedQuestion extends DecidedCase {
  /** The resource that was asked about, in full where the question left something out. */
  readonly asked: string;
}

/**
 * Decides one action on one resource as the sidecar would, without an explanation.
 * @throws QuestionError when the sidecar does not decide such an action or resource.
 */
export function decideQuestion(known: KnownAction, resource: string, simulated: Simulated): DecidedQuestion {
  if (known.service === 's3')
    return { ...decideEvery(s3Cases(known, resource, simulated), simulated), asked: resource };
  const asked = stsCase(known.action, resource, simulated);
  const decided = known.action === getScopedCredentials ? decideScope(asked) : decideSts(asked);
  return { ...decided, asked: asked.query.resource };
}

function decideSts(asked: TrustCase): DecidedCase {
  return { ...asked, decision: decideTrustCase(asked), told: asked.query.context };
}

/**
 * Decides an action that needs no Allow: only an explicit Deny, and a fault, refuse it, for any of the resources that the running
 * sidecar asks about.
 */
function decideScope({ sets, query }: TrustCase): DecidedCase {
  const decided = scopeResources(query.principal.arn).map((resource) =>
    unlessDenied(decideSts({ sets, query: { ...query, resource } })),
  );
  const first = (effect: 'deny' | 'needs'): DecidedCase | undefined =>
    decided.find(({ decision }) => decision.effect === effect);
  return first('deny') ?? first('needs') ?? unlessDenied(decideSts({ sets, query }));
}

function unlessDenied(decided: DecidedCase): DecidedCase {
  const { decision } = decided;
  if (decision.effect === 'needs' || !isNoDeny(decision)) return decided;
  const granted = { effect: 'allow', isExplicitDeny: false, policyType: 'none' } as const;
  return { ...decided, decision: { ...granted, sets: decision.sets } };
}

/** A case with its answer. */
interface DecidedCase extends TrustCase {
  readonly decision: Decision | NeedsKeys;
  /** What the caller is told from: the context without what was looked up. */
  readonly told: RequestContext;
}

/** An action must be allowed under every name of the resource. The first refusal decides, as in the running sidecar. */
function decideEvery([first, ...others]: readonly [Case, ...Case[]], simulated: Simulated): DecidedCase {
  let decided = decideOne(first, simulated);
  for (const other of others) {
    if (!isPermitted(decided, simulated)) return decided;
    const next = decideOne(other, simulated);
    if (other.isDenyOnly === true && isNoDeny(next.decision)) continue;
    if (!isPermitted(next, simulated) || decided.decision.effect === 'allow') decided = next;
  }
  return decided;
}

function isNoDeny(decision: DecidedCase['decision']): boolean {
  return decision.effect !== 'needs' && !decision.isExplicitDeny && decision.fault === undefined;
}

// The sidecar looks nothing up for a request that no policy allows, unless it only audits.
function decideOne({ sets, query, beforeLookUps: context }: Case, simulated: Simulated): DecidedCase {
  const isEnforced = !isAuditedFor(simulated);
  const early = decide(sets, { ...query, context, isEnforced });
  const decision = early.effect === 'deny' ? early : decide(sets, query);
  return { sets, query, decision, told: context };
}

function isPermitted({ decision }: DecidedCase, simulated: Simulated): boolean {
  return decision.effect === 'allow' || isOnlyRecorded(decision, simulated);
}

/** The question, and the same for every other name that a store would give the key if it treats keys as paths. */
function s3Cases(
  known: Extract<KnownAction, { service: 's3' }>,
  resource: string,
  simulated: Simulated,
): readonly [Case, ...Case[]] {
  const { asker, world } = simulated;
  if (asker.kind === 'federated') {
    throw new QuestionError(
      'action',
      `${asker.who} has no permission on S3 before it assumes a role: ask for the role's`,
    );
  }
  const place = s3Place(resource, known, world);
  const { policies } = world;
  const own: PolicySets = asker.kind === 'caller' ? policies.gather(asker.caller) : { identity: [] };
  const sets = policies.withBucketPolicy(own, resource);
  const { entries, lazyKeys } = s3Context({ known, resource, ...place }, simulated);
  const principal = principalOf(asker);
  const caseOf = ({ permission, requestKeys, isDenyOnly }: PermissionQuestion): Case => {
    const context = new RequestContext(requestKeys, lazyKeys);
    const query = { principal, action: known.action, resource: permission.resource, context, isDenyOnly };
    const ofRequest = requestKeys.filter(([name]) => !isOfStore(foldCase(name)));
    const beforeLookUps = new RequestContext(ofRequest, [...lazyKeys, ...lookupKeysOf(permission)]);
    return { sets, query, beforeLookUps, isDenyOnly };
  };
  const aliases = known.operation.aliasesOf?.(place.key);
  const object = place.key === '' ? undefined : { ...place, aliases };
  const permission = { action: known.action, resource, object };
  const others = asPaths(permission, entries).map(caseOf);
  return [caseOf({ permission, requestKeys: entries }), ...others];
}

function principalOf(asker: Exclude<Asker, { kind: 'federated' }>): PolicyPrincipal {
  return asker.kind === 'caller'
    ? policyPrincipal(asker.caller)
    : { kind: 'anonymous', accountId: '', arn: '' };
}

/** The bucket and key of an ARN that fits the action; a bucket action on an object would always seem denied. */
function s3Place(
  resource: string,
  { action, operation }: Extract<KnownAction, { service: 's3' }>,
  { settings }: World,
): { bucket: string; key: string } {
  const { partition } = settings.account;
  const shown = JSON.stringify(resource.slice(0, 256));
  const arn = parseArn(resource);
  const form = { service: '*', bucket: 'bucket', object: 'bucket/key' }[operation.scope];
  const expected = `expected arn:${partition}:s3:::${form}`;
  if (arn === undefined) throw new QuestionError('resource', `${shown} is not an ARN: ${expected}`);
  if (arn.service !== 's3' || arn.region !== '' || arn.account !== '' || arn.partition !== partition) {
    throw new QuestionError('resource', `${shown} names no bucket or object of this account: ${expected}`);
  }
  const slash = arn.resource.indexOf('/');
  const isObject = slash > 0 && slash < arn.resource.length - 1;
  const fits = operation.scope === 'object' ? isObject : slash < 0;
  if (!fits) throw new QuestionError('resource', `${shown} does not fit ${action}: ${expected}`);
  if (operation.scope === 'service') return { bucket: arn.resource, key: '' };
  const place = isObject
    ? { bucket: arn.resource.slice(0, slash), key: arn.resource.slice(slash + 1) }
    : { bucket: arn.resource, key: '' };
  checkPlace(resource, place);
  return place;
}

/** True for a refusal that `enforcement: audit` only records. */
export function isOnlyRecorded(decision: DecidedCase['decision'], simulated: Simulated): boolean {
  if (decision.effect === 'needs') return false;
  return isUnallowedOnly(decision) && isAuditedFor(simulated);
}

function isAuditedFor({ asker, world }: Simulated): boolean {
  return asker.kind === 'caller' && isAudited(asker.caller, world.settings.authorization.enforcement);
}
