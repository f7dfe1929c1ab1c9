import type { CompiledPolicy } from './compile.ts';
import {
  type AuthorizationQuery,
  evaluatePolicies,
  type PrincipalLevel,
  type SetResult,
  type StatementReference,
} from './evaluate.ts';

/** The policies that one request is decided by. */
export interface PolicySets {
  /** Inline and managed policies of the user or role. */
  readonly identity: readonly CompiledPolicy[];
  /** `undefined` when there is no permissions boundary. */
  readonly boundary?: readonly CompiledPolicy[];
  /** `undefined` when there are no session policies; an empty list allows nothing. */
  readonly session?: readonly CompiledPolicy[];
  /** The bucket policy, or the trust policy of the role to assume. */
  readonly resource?: readonly CompiledPolicy[];
}

/** The set that decided. */
export type PolicyType = 'identity' | 'boundary' | 'session' | 'resource';

/** What one set contributed. */
export type SetEffect = 'allow' | 'deny' | 'none';

/** The contributions of the sets that exist. */
export interface SetEffects {
  readonly identity: SetEffect;
  readonly boundary?: SetEffect;
  readonly session?: SetEffect;
  readonly resource?: SetEffect;
  /** How closely the resource set's allow names the caller; `none` unless it allows. */
  readonly resourceLevel: PrincipalLevel;
}

/** The answer, with its reason. */
export interface Decision {
  readonly effect: 'allow' | 'deny';
  /** False when access is denied only because something does not allow it. */
  readonly isExplicitDeny: boolean;
  /** The set that granted, denied, or should have allowed. */
  readonly policyType: PolicyType;
  /** The deciding statement; absent from implicit denies and from what an account's root may do anyway. */
  readonly statement?: StatementReference;
  readonly sets: SetEffects;
  /** What was thrown while deciding. Always with a deny; a server fault to log, never to be relaxed by audit mode. */
  readonly fault?: unknown;
}

/** A decision that has to wait for keys of the store. */
export interface NeedsKeys {
  readonly effect: 'needs';
  /** Lazy keys in lower case, sorted. */
  readonly keys: readonly string[];
}

/**
 * Decides one (action, resource) pair for one caller (IAM user guide, "Policy evaluation logic", single account): any
 * deny in any set wins; then the bucket policy may grant by itself, or together with session policies and boundary;
 * else identity, boundary and session policies must all allow. A trust policy must allow too, whatever the caller's
 * own policies say. Anonymous and federated callers have the resource set alone. Whatever is thrown becomes a deny.
 */
export function decide(sets: PolicySets, query: AuthorizationQuery): Decision | NeedsKeys {
  try {
    return combine(evaluateSets(sets, query), sets, query);
  } catch (fault) {
    const effects: SetEffects = { identity: 'none', resourceLevel: 'none' };
    return { effect: 'deny', isExplicitDeny: false, policyType: 'identity', sets: effects, fault };
  }
}

type SetResults = ReadonlyMap<PolicyType, SetResult>;

function evaluateSets(sets: PolicySets, query: AuthorizationQuery): SetResults {
  // A federated user has no permissions beyond what its session policies pass on.
  const session = sets.session ?? (query.principal.kind === 'federated-user' ? [] : undefined);
  const results = new Map<PolicyType, SetResult>([['identity', evaluatePolicies(sets.identity, query)]]);
  if (sets.boundary !== undefined) results.set('boundary', evaluatePolicies(sets.boundary, query));
  if (session !== undefined) results.set('session', evaluatePolicies(session, query));
  if (sets.resource !== undefined) results.set('resource', evaluatePolicies(sets.resource, query));
  return results;
}

function combine(results: SetResults, sets: PolicySets, query: AuthorizationQuery): Decision | NeedsKeys {
  const effects = summarise(results, query);
  for (const [policyType, result] of results) {
    if (result.effect !== 'deny') continue;
    const { statement } = result;
    return { effect: 'deny', isExplicitDeny: true, policyType, statement, sets: effects };
  }
  const keys = [...results.values()].flatMap((result) => (result.effect === 'needs' ? result.keys : []));
  if (keys.length > 0) return { effect: 'needs', keys: [...new Set(keys)].sort() };
  const missing = missingAllow(effects, sets, query);
  if (missing !== undefined) {
    return { effect: 'deny', isExplicitDeny: false, policyType: missing, sets: effects };
  }
  const { resourceLevel } = effects;
  const policyType = resourceLevel === 'direct' || resourceLevel === 'entity' ? 'resource' : 'identity';
  const granting = results.get(policyType);
  const allowed = { effect: 'allow', isExplicitDeny: false, policyType, sets: effects } as const;
  return granting?.effect === 'allow' ? { ...allowed, statement: granting.statement } : allowed;
}

/** The set whose allow is missing; `undefined` when access is granted. */
function missingAllow(
  effects: SetEffects,
  sets: PolicySets,
  query: AuthorizationQuery,
): PolicyType | undefined {
  const { resourceLevel, identity, boundary = 'allow', session = 'allow' } = effects;
  if (resourceLevel === 'direct') return undefined;
  const { kind } = query.principal;
  if (kind === 'anonymous' || kind === 'web-identity' || kind === 'saml') return 'resource';
  if (isTrustDecision(sets, query) && resourceLevel === 'none') return 'resource';
  if (resourceLevel !== 'entity' && identity !== 'allow') return 'identity';
  if (boundary !== 'allow') return 'boundary';
  if (session !== 'allow') return 'session';
  return undefined;
}

/** A role can be assumed only by whom its trust policy names: here an identity policy alone grants nothing. */
function isTrustDecision(sets: PolicySets, query: AuthorizationQuery): boolean {
  const hasTrustPolicy = sets.resource?.some(({ kind }) => kind === 'trust') ?? false;
  return hasTrustPolicy || query.action.toLowerCase().startsWith('sts:assumerole');
}

function summarise(results: SetResults, query: AuthorizationQuery): SetEffects {
  const resource = results.get('resource');
  const isRoot = query.principal.kind === 'root';
  const identity = effectOf(results.get('identity')) ?? 'none';
  const boundary = effectOf(results.get('boundary'));
  const session = effectOf(results.get('session'));
  const resourceEffect = effectOf(resource);
  return {
    identity: isRoot && identity === 'none' ? 'allow' : identity,
    ...(boundary === undefined ? {} : { boundary }),
    ...(session === undefined ? {} : { session }),
    ...(resourceEffect === undefined ? {} : { resource: resourceEffect }),
    // An allow without a Principal has no place in a resource set and grants nothing there.
    resourceLevel: resource?.effect === 'allow' ? (resource.level ?? 'none') : 'none',
  };
}

function effectOf(result: SetResult | undefined): SetEffect | undefined {
  return result?.effect === 'needs' ? 'none' : result?.effect;
}
