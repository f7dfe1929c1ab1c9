import type { PolicyDocument, PolicyStatement } from '../../iam/document.ts';
import { compileNotPrincipals, compilePrincipals, type PrincipalTest } from '../../iam/match-principal.ts';
import type { Person } from './persons.ts';
import type { Side } from './side.ts';
import { changedStatements, type PlacedStatement, statementsOf } from './statements.ts';

/** The policy of a bucket, or the trust policy of a role, on both sides. */
export interface SharedPolicy {
  /** Statements that stand on one side alone. */
  readonly changed: readonly PlacedStatement[];
  readonly all: readonly PlacedStatement[];
}

/** The bucket policies by bucket. */
export function bucketPolicies(before: Side, after: Side): ReadonlyMap<string, SharedPolicy> {
  return sharedPolicies(before.buckets, after.buckets, () => true);
}

/** The trust policies by role. Of a role with other tags or another ARN, every statement may decide differently. */
export function trustPolicies(before: Side, after: Side): ReadonlyMap<string, SharedPolicy> {
  const factsOf = (side: Side, name: string): string => {
    const role = side.roles.get(name);
    return JSON.stringify([role?.arn, [...(role?.tags ?? [])].sort()]);
  };
  return sharedPolicies(before.trust, after.trust, (name) => factsOf(before, name) === factsOf(after, name));
}

function sharedPolicies(
  before: ReadonlyMap<string, PolicyDocument>,
  after: ReadonlyMap<string, PolicyDocument>,
  isSame: (name: string) => boolean,
): ReadonlyMap<string, SharedPolicy> {
  const found = new Map<string, SharedPolicy>();
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const old = statementsOf(before.get(name));
    const next = statementsOf(after.get(name));
    const all = [...old, ...next];
    found.set(name, { changed: isSame(name) ? changedStatements(old, next) : all, all });
  }
  return found;
}

const tests = new WeakMap<PolicyStatement, PrincipalTest>();

/** True when a statement of a bucket or trust policy may be about one of the callers. */
export function isAbout({ statement }: PlacedStatement, persons: readonly (Person | undefined)[]): boolean {
  const { principals, effect } = statement;
  if (principals === undefined) return true;
  let test = tests.get(statement);
  if (test === undefined) {
    const { isNegated, values } = principals;
    test = isNegated ? compileNotPrincipals(values) : compilePrincipals(values, effect);
    tests.set(statement, test);
  }
  const levelOf = test;
  // A boundary only widens whom a NotPrincipal is about.
  return persons.some(
    (one) => one !== undefined && (principals.isNegated || levelOf(one.principal) !== 'none'),
  );
}
