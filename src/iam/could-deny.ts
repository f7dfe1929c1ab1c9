import type { CompiledStatement } from './compiled-statement.ts';
import { covers, mayMatch } from './match-resource.ts';
import { type PolicySets, policyTypes } from './policy-sets.ts';
import type { AuthorizationQuery } from './query.ts';

/**
 * False only when a deny-only question about `resource` cannot end in an explicit deny, given that the full question about
 * `own` in the same context did not. A cheap test by the text of the patterns: a Deny on `*` or `bucket/*` matches both names, and
 * has been decided with `own`.
 */
export function couldDenyOther(
  sets: PolicySets,
  { action, resource }: Pick<AuthorizationQuery, 'action' | 'resource'>,
  own: string,
): boolean {
  return policyTypes.some((policyType) =>
    sets[policyType]?.some(({ index }) =>
      index.find(action, resource).denies.some((statement) => tellsApart(resource, own, statement)),
    ),
  );
}

function tellsApart(
  resource: string,
  own: string,
  { ranges, excludesResources, resourcePrefix }: CompiledStatement,
): boolean {
  if (excludesResources || !resource.startsWith(resourcePrefix)) return false;
  return ranges.some((range) => mayMatch(range, resource)) && !ranges.some((range) => covers(range, own));
}
