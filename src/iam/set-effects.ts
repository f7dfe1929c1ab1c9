import type { AuthorizationQuery, PrincipalLevel, SetResult } from './evaluate.ts';
import type { LayeredResult } from './intersect.ts';
import { type PolicySets, type PolicyType, policyTypes } from './policy-sets.ts';

/** What one set contributed. */
export type SetEffect = 'allow' | 'deny' | 'none';

/** The contributions of the sets; `undefined` for a set that does not exist. */
export interface SetEffects {
  readonly identity: SetEffect;
  readonly boundary: SetEffect | undefined;
  readonly session: SetEffect | undefined;
  readonly scopeDown: SetEffect | undefined;
  /** The scope-down policy that denies or does not allow, from 1; `undefined` when all of them allow. */
  readonly scopeDownLayer?: number | undefined;
  readonly resource: SetEffect | undefined;
  /** How closely the resource set's allow names the caller; `none` unless it allows. */
  readonly resourceLevel: PrincipalLevel;
}

/** The results of the sets; `undefined` for a set that does not exist. */
export type SetResults = Readonly<Record<Exclude<PolicyType, 'scopeDown'>, SetResult | undefined>> & {
  readonly scopeDown: LayeredResult | undefined;
};

/** The keys that Deny or Allow statements of any set depend on, sorted; `undefined` when there are none. */
export function pendingKeys(
  results: SetResults,
  kinds: readonly ('denyKeys' | 'allowKeys')[],
): string[] | undefined {
  let keys: Set<string> | undefined;
  for (const policyType of policyTypes) {
    const pending = results[policyType]?.pending;
    if (pending === undefined) continue;
    for (const key of kinds.flatMap((kind) => pending[kind])) {
      keys ??= new Set();
      keys.add(key);
    }
  }
  return keys === undefined ? undefined : [...keys].sort();
}

/** The set whose allow is missing; `undefined` when access is granted. */
export function missingAllow(
  effects: SetEffects,
  sets: PolicySets,
  query: Pick<AuthorizationQuery, 'principal' | 'action'>,
): PolicyType | undefined {
  const { resourceLevel, identity, boundary = 'allow', session = 'allow', scopeDown = 'allow' } = effects;
  if (resourceLevel === 'direct') return scopeDown === 'allow' ? undefined : 'scopeDown';
  const { kind } = query.principal;
  if (kind === 'anonymous' || kind === 'web-identity' || kind === 'saml') return 'resource';
  if (isTrustDecision(sets, query) && resourceLevel === 'none') return 'resource';
  if (resourceLevel !== 'entity' && identity !== 'allow') return 'identity';
  if (boundary !== 'allow') return 'boundary';
  if (session !== 'allow') return 'session';
  if (scopeDown !== 'allow') return 'scopeDown';
  return undefined;
}

/** True when every set that only limits allows, so that a missing identity allow is the only obstacle of the caller's own. */
export function isAllowedBeside(effects: SetEffects): boolean {
  const { boundary = 'allow', session = 'allow', scopeDown = 'allow' } = effects;
  return boundary === 'allow' && session === 'allow' && scopeDown === 'allow';
}

/** True for assuming a role: that needs an Allow of its trust policy, and an identity policy alone does not grant it. */
export function isTrustDecision(sets: PolicySets, query: Pick<AuthorizationQuery, 'action'>): boolean {
  const hasTrustPolicy = sets.resource?.some(({ kind }) => kind === 'trust') ?? false;
  return hasTrustPolicy || isAssumeRole(query.action);
}

function isAssumeRole(action: string): boolean {
  // Most actions are `s3:`, whose third character is the colon.
  return action.charAt(2) !== ':' && action.toLowerCase().startsWith('sts:assumerole');
}

/** Reads the effect of a set; of a bucket or trust policy also the level at which it names the caller. */
type ReadEffect = (result: SetResult) => {
  readonly effect: SetEffect;
  readonly level?: PrincipalLevel | undefined;
};

const effectNow: ReadEffect = (result) => result;

const effectAtBest: ReadEffect = (result) =>
  result.pending === undefined || result.pending.allowKeys.length === 0
    ? result
    : { effect: 'allow', level: result.pending.allowLevel };

/** What the sets contribute without a look-up. */
export function effectsNow(results: SetResults, query: AuthorizationQuery): SetEffects {
  return effectsOf(results, query, effectNow);
}

/** What the sets contribute if every Allow that waits for a look-up applies. */
export function effectsAtBest(results: SetResults, query: AuthorizationQuery): SetEffects {
  return effectsOf(results, query, effectAtBest);
}

function effectsOf(
  { identity, boundary, session, scopeDown, resource }: SetResults,
  { principal }: AuthorizationQuery,
  read: ReadEffect,
): SetEffects {
  const own = identity === undefined ? 'none' : read(identity).effect;
  const ofResource = resource && read(resource);
  return {
    identity: own === 'none' && principal.kind === 'root' ? 'allow' : own,
    boundary: boundary && read(boundary).effect,
    session: session && read(session).effect,
    scopeDown: scopeDown && read(scopeDown).effect,
    scopeDownLayer: scopeDown?.layer,
    resource: ofResource?.effect,
    // INVARIANT: resource sets hold only policies with Principal. Without one an Allow grants nothing here.
    resourceLevel: ofResource?.effect === 'allow' ? (ofResource.level ?? 'none') : 'none',
  };
}
