import { isAudited, isUnallowedOnly } from '../../authorize/decide.ts';
import { policyPrincipal } from '../../authorize/gather-policies.ts';
import { suggest } from '../../config/suggest.ts';
import { parseArn } from '../../core/arn.ts';
import type { Role } from '../../directory/role.ts';
import { type Decision, decide, type NeedsKeys, type PolicySets } from '../../iam/combine.ts';
import type { AuthorizationQuery, PolicyPrincipal } from '../../iam/query.ts';
import { matchingStatements, type StatementMatch } from '../../iam/trace.ts';
import {
  assumeRole,
  callerQuestion,
  defaultDurationSeconds,
  federatedQuestion,
  fullRoleArn,
  trustCase,
  trustQuery,
} from '../../sts/trust-decision.ts';
import { type Asker, simulatedSessionName } from './asker.ts';
import { overlaidEntries, type Simulated, s3Context, trustRequestKeys, untoldKeys } from './circumstances.ts';
import { findAction, type KnownAction } from './known-actions.ts';
import { QuestionError } from './question.ts';
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
    known.service === 's3' ? s3Case(known, resource, simulated) : roleCase(known, resource, simulated);
  const decision = decide(sets, query);
  return {
    principal: simulated.asker.arn,
    action: known.action,
    resource: query.resource,
    decision,
    matches: matchingStatements(sets, query),
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
  if (asker.kind === 'web-identity') {
    throw new QuestionError(
      'action',
      `a web identity has no permission on S3 before it assumes a role: ask for the role's`,
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

function principalOf(asker: Exclude<Asker, { kind: 'web-identity' }>): PolicyPrincipal {
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

/** The trust policy takes part exactly as it does when the role is asked for. */
function roleCase({ action }: KnownAction, resource: string, simulated: Simulated): Case {
  const { world, asker, circumstances, raw } = simulated;
  const { account } = world.settings;
  const session = { sessionName: simulatedSessionName, durationSeconds: defaultDurationSeconds };
  const role = findRole(resource, world);
  const lazyKeys = untoldKeys(trustRequestKeys, circumstances);
  if (action === assumeRole) {
    if (asker.kind !== 'caller')
      throw askedBySomebodyElse(
        action,
        'a user or a session of a role, not by a web identity or anonymously',
      );
    const question = callerQuestion(
      session,
      { raw, caller: asker.caller, region: account.region },
      account.id,
    );
    const entries = overlaidEntries(question.entries, circumstances);
    return trustCase(
      world.policies.gather(asker.caller),
      trustQuery({ ...question, entries }, role.arn, lazyKeys),
      role,
    );
  }
  if (asker.kind !== 'web-identity')
    throw askedBySomebodyElse(action, 'a web identity: name its provider instead of a principal');
  const question = federatedQuestion(session, { issuer: asker.issuer, claims: new Map() }, raw, account);
  const entries = overlaidEntries(question.entries, circumstances);
  return trustCase({ identity: [] }, trustQuery({ ...question, entries }, role.arn, lazyKeys), role);
}

function askedBySomebodyElse(action: string, who: string): QuestionError {
  return new QuestionError('action', `${action} is asked by ${who}`);
}

function findRole(resource: string, { settings, directory, roles }: World): Role {
  const shown = JSON.stringify(resource.slice(0, 256));
  const roleArn = fullRoleArn(resource, settings.account.id);
  if (roleArn === undefined) {
    throw new QuestionError(
      'resource',
      `${shown} is not the ARN of a role: expected arn:aws:iam::${settings.account.id}:role/name`,
    );
  }
  const role = directory.role(roleArn);
  if (role !== undefined) return role;
  const hint = suggest(
    resource.slice(resource.lastIndexOf('/') + 1),
    roles.map(({ name }) => name),
  );
  throw new QuestionError('resource', `no role is ${shown}${hint}`);
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
