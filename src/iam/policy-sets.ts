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
  /** The bucket policy, or the trust policy of the role to assume. */
  readonly resource?: readonly CompiledPolicy[] | undefined;
}

/** Names one of the sets. */
export type PolicyType = 'identity' | 'boundary' | 'session' | 'resource';

/** Every set, in the order in which they are searched for an explicit deny. */
export const policyTypes: readonly PolicyType[] = ['identity', 'boundary', 'session', 'resource'];

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
