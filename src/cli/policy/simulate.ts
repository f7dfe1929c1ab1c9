import { isAudited, isUnallowedOnly } from '../../authorize/decide.ts';
import { policyPrincipal } from '../../authorize/gather-policies.ts';
import { parseArn } from '../../core/arn.ts';
import { type Decision, decide, type NeedsKeys, type PolicySets } from '../../iam/combine.ts';
import type { AuthorizationQuery, PolicyPrincipal } from '../../iam/query.ts';
import { matchingStatements, type StatementMatch } from '../../iam/trace.ts';
import { decideTrustCase } from '../../sts/trust-decision.ts';
import type { Asker } from './asker.ts';
import { type Simulated, s3Context } from './circumstances.ts';
import { findAction, type KnownAction } from './known-actions.ts';
import { QuestionError } from './question.ts';
import { stsCase } from './sts-case.ts';
import type { World } from './world.ts';

/** The answer to one (action, resource) pair. */
export interface Simulation {
  readonly principal: string;
  /** In AWS's spelling. */
  readonly action: string;
  readonly resource: string;
  readonly decision: Decision | NeedsKeys;
  /** Every statement of every set that applies. */
  readonly matches: readonly StatementMatch[];
  /** True for a refusal that `enforcement: audit` only records. */
  readonly isOnlyRecorded: boolean;
  /** Context keys that were given although no policy that takes part asks for them, in lower case. */
  readonly unusedContext: readonly string[];
}

/** A query with the policies that answer it. */
interface Case {
  readonly sets: PolicySets;
  readonly query: AuthorizationQuery;
}

/**
 * Decides one action on one resource with the engine, the policies and the context that the sidecar decides with.
 * @throws QuestionError when action or resource is none that the sidecar decides.
 */
export function simulate(actionText: string, resource: string, simulated: Simulated): Simulation {
  const known = findAction(actionText);
  const { sets, query } =
    known.service === 's3' ? s3Case(known, resource, simulated) : stsCase(known.action, resource, simulated);
  const matches = matchingStatements(sets, query);
  const decision = known.service === 's3' ? decide(sets, query) : decideTrustCase({ sets, query });
  return {
    principal: simulated.asker.arn,
    action: known.action,
    resource: query.resource,
    decision,
    matches,
    isOnlyRecorded:
      decision.effect === 'deny' &&
      known.service === 's3' &&
      isOnlyRecorded(simulated) &&
      isUnallowedOnly(decision),
    unusedContext: unusedKeys(sets, simulated),
  };
}

function s3Case(
  known: Extract<KnownAction, { service: 's3' }>,
  resource: string,
  simulated: Simulated,
): Case {
  const { asker, world } = simulated;
  if (asker.kind === 'web-identity' || asker.kind === 'saml') {
    const who = asker.kind === 'saml' ? 'the holder of a SAML assertion' : 'a web identity';
    throw new QuestionError(
      'action',
      `${who} has no permission on S3 before it assumes a role: ask for the role's`,
    );
  }
  const place = s3Place(resource, known, world);
  const { policies } = world;
  const own: PolicySets = asker.kind === 'caller' ? policies.gather(asker.caller) : { identity: [] };
  return {
    sets: policies.withBucketPolicy(own, resource),
    query: {
      principal: principalOf(asker),
      action: known.action,
      resource,
      context: s3Context({ known, resource, ...place }, simulated),
    },
  };
}

function principalOf(asker: Exclude<Asker, { kind: 'web-identity' | 'saml' }>): PolicyPrincipal {
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
  if (operation.scope !== 'object') return { bucket: arn.resource, key: '' };
  return { bucket: arn.resource.slice(0, slash), key: arn.resource.slice(slash + 1) };
}

function isOnlyRecorded({ asker, world }: Simulated): boolean {
  return asker.kind === 'caller' && isAudited(asker.caller, world.settings.authorization.enforcement);
}

function unusedKeys(
  { identity, boundary = [], session = [], resource = [] }: PolicySets,
  { circumstances }: Simulated,
): string[] {
  const policies = [...identity, ...boundary, ...session, ...resource];
  const given = circumstances.context.map(([key]) => key.toLowerCase());
  return given.filter((key) => !policies.some(({ contextKeys }) => contextKeys.has(key)));
}
