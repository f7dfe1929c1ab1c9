import type { Decision } from './combine.ts';
import type { CompiledPolicy } from './compile.ts';
import type { CompiledStatement } from './compiled-statement.ts';
import type { PrincipalLevel } from './match-principal.ts';
import { covers, mayReach } from './match-resource.ts';
import { alternativesOf, type PolicySets, policiesOf, policyTypes, withBoundary } from './policy-sets.ts';
import type { PolicyPrincipal } from './query.ts';
import { missingAllow, type SetEffect } from './set-effects.ts';

/** A query about every resource whose ARN starts with a prefix. */
export interface RangeQuery {
  readonly principal: PolicyPrincipal;
  /** `service:Name`, compared ignoring case. */
  readonly action: string;
  /** The prefix, for example `arn:aws:s3:::bucket/`; its `*` and `?` are literal. */
  readonly prefix: string;
}

/**
 * The most permissive decision that any resource of a range can get in any context. Conditions are assumed to hold for an
 * Allow and to fail for a Deny, and patterns are compared by the text before their first wildcard. A `deny` holds for every
 * resource of the range in every context; an `allow` promises nothing.
 */
export function decideRange(sets: PolicySets, query: RangeQuery): Decision {
  const action = query.action.toLowerCase();
  const all = policiesOf(sets, query);
  const range = withBoundary(sets, { ...query, action });
  const resource = all.resource && mostOf(all.resource, range);
  const layers = alternativesOf(all, 'scopeDown') ?? [];
  const layer = layers.findIndex((policies) => effectOf(policies, range) === 'none');
  const effects = {
    identity: query.principal.kind === 'root' ? 'allow' : effectOf(all.identity, range),
    boundary: all.boundary && effectOf(all.boundary, range),
    session: all.session && effectOf(all.session, range),
    scopeDown: all.scopeDown && (layer < 0 ? 'allow' : 'none'),
    scopeDownLayer: layer < 0 ? undefined : layer + 1,
    resource: resource && (resource === 'none' ? 'none' : 'allow'),
    resourceLevel: resource ?? 'none',
  } as const;
  const denying = explicitDeny(all, range);
  if (denying !== undefined) return { effect: 'deny', isExplicitDeny: true, ...denying, sets: effects };
  const policyType = missingAllow(effects, sets, query);
  return policyType === undefined
    ? { effect: 'allow', isExplicitDeny: false, policyType: 'identity', sets: effects }
    : { effect: 'deny', isExplicitDeny: false, policyType, sets: effects };
}

const none: readonly CompiledPolicy[] = [];

/** The closest level at which an Allow that could apply names the caller; `none` when there is no such Allow. */
function mostOf(policies: readonly CompiledPolicy[], query: RangeQuery): PrincipalLevel {
  const levels = policies.flatMap(({ statements }) =>
    statements
      .filter((statement) => couldApply(statement, query))
      .map(({ principalLevel }) => principalLevel?.(query.principal) ?? 'none'),
  );
  return closestFirst.find((level) => levels.includes(level)) ?? 'none';
}

const closestFirst: readonly PrincipalLevel[] = ['direct', 'entity', 'account'];

function effectOf(policies: readonly CompiledPolicy[], query: RangeQuery): SetEffect {
  return policies.some(({ statements }) => statements.some((one) => couldApply(one, query)))
    ? 'allow'
    : 'none';
}

function couldApply(statement: CompiledStatement, { action, prefix }: RangeQuery): boolean {
  if (statement.effect !== 'Allow' || !statement.matchesAction(action)) return false;
  const { excludesResources, ranges } = statement;
  return excludesResources
    ? !ranges.some((range) => covers(range, prefix))
    : ranges.some((range) => mayReach(range, prefix));
}

/** A Deny without conditions that applies to every resource of the range. */
function explicitDeny(
  sets: PolicySets,
  query: RangeQuery,
): Pick<Decision, 'policyType' | 'statement'> | undefined {
  for (const policyType of policyTypes) {
    for (const { statements } of sets[policyType] ?? none) {
      const denying = statements.find((statement) => coversRange(statement, query));
      if (denying !== undefined) return { policyType, statement: denying.reference };
    }
  }
  return undefined;
}

function coversRange(statement: CompiledStatement, { principal, action, prefix }: RangeQuery): boolean {
  if (statement.effect !== 'Deny' || statement.conditions.length > 0) return false;
  if (!statement.matchesAction(action) || statement.principalLevel?.(principal) === 'none') return false;
  const { excludesResources, ranges } = statement;
  return excludesResources
    ? !ranges.some((range) => mayReach(range, prefix))
    : ranges.some((range) => covers(range, prefix));
}
