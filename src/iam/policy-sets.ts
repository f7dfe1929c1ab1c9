import type { CompiledPolicy } from './compile.ts';
import type { AuthorizationQuery } from './query.ts';

/** The policies that decide one request. */
export interface PolicySets {
  /** Inline and managed policies of the user or role. */
  readonly identity: readonly CompiledPolicy[];
  /** `undefined` when there is no permissions boundary. */
  readonly boundary?: readonly CompiledPolicy[] | undefined;
  /** `undefined` when there are no session policies; an empty list allows nothing. */
  readonly session?: readonly CompiledPolicy[] | undefined;
  /**
   * The scope-down policies of GetScopedCredentials, the first one first; `undefined` when there are none. Unlike the policies of
   * another set, each of them has to allow, also what a bucket policy grants to the caller directly.
   */
  readonly scopeDown?: readonly CompiledPolicy[] | undefined;
  /** The bucket policy, or the trust policy of the role to assume. */
  readonly resource?: readonly CompiledPolicy[] | undefined;
}

/** Names one of the sets. */
export type PolicyType = 'identity' | 'boundary' | 'session' | 'scopeDown' | 'resource';

/** Every set, in the order in which they are searched for an explicit deny. */
export const policyTypes: readonly PolicyType[] = [
  'identity',
  'boundary',
  'session',
  'scopeDown',
  'resource',
];

/** The sets of the caller's own, which exist whatever is asked for. */
export const ownPolicyTypes: readonly Exclude<PolicyType, 'resource'>[] = [
  'identity',
  'boundary',
  'session',
  'scopeDown',
];

/**
 * The sets as alternatives: of each inner list one policy has to allow. Every scope-down policy is a list of its own, and the
 * policies of any other set are one list together.
 */
export function alternativesOf(
  sets: PolicySets,
  policyType: PolicyType,
): readonly (readonly CompiledPolicy[])[] | undefined {
  const set = sets[policyType];
  if (set === undefined) return undefined;
  return policyType === 'scopeDown' ? set.map((policy) => [policy]) : [set];
}

/** The query, marked when a permissions boundary bounds its caller; NotPrincipal needs to know. */
export function withBoundary<Q extends Pick<AuthorizationQuery, 'principal'>>(
  { boundary }: PolicySets,
  query: Q,
): Q {
  return boundary === undefined ? query : { ...query, principal: { ...query.principal, isBounded: true } };
}

/** The sets that count: a federated user without session policies gets nothing from its user's policies. */
export function policiesOf(
  sets: PolicySets,
  { principal }: Pick<AuthorizationQuery, 'principal'>,
): PolicySets {
  if (sets.session !== undefined || principal.kind !== 'federated-user') return sets;
  return { ...sets, session: none };
}

const none: readonly CompiledPolicy[] = [];
