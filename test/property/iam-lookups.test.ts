import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { isUnallowedOnly } from '../../src/authorize/decide.ts';
import { decide, type PolicySets } from '../../src/iam/combine.ts';
import type { AuthorizationQuery, PolicyPrincipal } from '../../src/iam/query.ts';
import { RequestContext } from '../../src/iam/request-context.ts';
import { compileSets, outcomeOf } from '../support/raw-policies.ts';
import {
  type RawPolicy,
  type RawPrincipal,
  type RawSets,
  type RawStatement,
  referenceOutcome,
} from '../support/reference-evaluator.ts';
import { otherRuns, propertyTimeoutMs } from './iam-runs.ts';

vi.setConfig({ testTimeout: propertyTimeoutMs });

const account = '123456789012';
const role = `arn:aws:iam::${account}:role/worker`;
const session = `arn:aws:sts::${account}:assumed-role/worker/me`;
const principals: readonly PolicyPrincipal[] = [
  { kind: 'role-session', accountId: account, arn: session, entityArn: role },
  { kind: 'user', accountId: account, arn: `arn:aws:iam::${account}:user/anna` },
];
const prefixes = ['s3:ExistingObjectTag/', 'aws:ResourceTag/'] as const;
/** Enough statements to wait for, few enough to try every combination of tags. */
const maxTags = 6;

type Draft = RawStatement & { readonly waitsFor?: string };

/** A statement that may depend on a tag, which `withTags` then gives a name of its own. */
function draft(isOfBucket: boolean): fc.Arbitrary<Draft> {
  return fc
    .record({
      Effect: fc.constantFrom<('Allow' | 'Deny')[]>('Allow', 'Allow', 'Allow', 'Deny'),
      Action: fc.constantFrom('*', 's3:*', 's3:GetObject', 's3:PutObject'),
      Resource: fc.constantFrom('*', 'arn:aws:s3:::a/*', 'arn:aws:s3:::b/*'),
      waitsFor: fc.constantFrom(...prefixes, undefined, undefined),
      Principal: fc.constantFrom<RawPrincipal[]>('*', { AWS: role }, { AWS: session }, { AWS: account }),
    })
    .map(({ waitsFor, Principal, ...rest }): Draft => {
      const waiting = waitsFor === undefined ? rest : { ...rest, waitsFor };
      return isOfBucket ? { ...waiting, Principal } : waiting;
    });
}

const drafts = (isOfBucket = false): fc.Arbitrary<Draft[]> =>
  fc.array(draft(isOfBucket), { minLength: 1, maxLength: 4 });
const optional = (isOfBucket = false): fc.Arbitrary<Draft[] | undefined> =>
  fc.option(drafts(isOfBucket), { nil: undefined });

interface Drawn {
  readonly sets: RawSets;
  readonly tags: readonly string[];
}

/** Each statement that waits gets a tag of its own, so that all of them are independent. */
function withTags(all: {
  readonly identity: readonly Draft[];
  readonly boundary: readonly Draft[] | undefined;
  readonly session: readonly Draft[] | undefined;
  readonly scopeDown: readonly (readonly Draft[])[] | undefined;
  readonly resource: readonly Draft[] | undefined;
}): Drawn {
  const tags: string[] = [];
  const named = (list: readonly Draft[]): RawPolicy[] => {
    const Statement = list.map(({ waitsFor, ...statement }): RawStatement => {
      if (waitsFor === undefined || tags.length === maxTags) return statement;
      const tag = `${waitsFor}t${tags.length}`;
      tags.push(tag);
      return { ...statement, Condition: { StringEquals: { [tag]: 'yes' } } };
    });
    return [{ Version: '2012-10-17', Statement }];
  };
  const { identity, boundary, session: ofSession, scopeDown, resource } = all;
  const sets = {
    identity: named(identity),
    ...(boundary === undefined ? {} : { boundary: named(boundary) }),
    ...(ofSession === undefined ? {} : { session: named(ofSession) }),
    ...(scopeDown === undefined ? {} : { scopeDown: scopeDown.flatMap(named) }),
    ...(resource === undefined ? {} : { resource: named(resource) }),
  };
  return { sets, tags };
}

const question = fc.record({
  drawn: fc
    .record({
      identity: drafts(),
      boundary: optional(),
      session: optional(),
      scopeDown: fc.option(fc.array(drafts(), { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 2 }),
      resource: optional(true),
    })
    .map(withTags),
  principal: fc.constantFrom(...principals),
  chosen: fc.nat({ max: 2 ** maxTags - 1 }),
});

const asked = { action: 's3:GetObject', resource: 'arn:aws:s3:::a/x' };

/** The tags of a set of numbers, one bit each. */
function chosenTags(tags: readonly string[], bits: number): Record<string, string> {
  return Object.fromEntries(tags.filter((_, index) => (bits >> index) % 2 === 1).map((tag) => [tag, 'yes']));
}

/** The parts of a decision that count: the answer, the reason of an implicit deny, and whether audit mode would relax it. */
function answerTo(sets: PolicySets, query: AuthorizationQuery): string {
  const decision = decide(sets, query);
  if (decision.effect === 'needs') return 'needs';
  const outcome = outcomeOf(decision);
  if (outcome === 'needs') return outcome;
  const reason = outcome.decision === 'implicit-deny' ? outcome.by : '';
  return `${outcome.decision} ${reason} ${isUnallowedOnly(decision)}`;
}

describe('decisions that wait for tags', () => {
  it('end as if every tag were known, and ask for no look-up that could not change the outcome', () => {
    const seen = { early: 0, waited: 0 };
    fc.assert(
      fc.property(question, ({ drawn: { sets, tags }, principal, chosen }) => {
        const compiled = compileSets(sets);
        const known = chosenTags(tags, chosen);
        const query = { principal, ...asked, context: new RequestContext([], prefixes) };
        const answers = new Set(
          Array.from({ length: 2 ** tags.length }, (_, bits) =>
            answerTo(compiled, {
              ...query,
              context: new RequestContext(Object.entries(chosenTags(tags, bits))),
            }),
          ),
        );
        let decision = decide(compiled, query);
        if (answers.size === 1) expect(decision.effect).not.toBe('needs');
        seen[decision.effect === 'needs' ? 'waited' : 'early'] += 1;
        let { context } = query;
        while (decision.effect === 'needs') {
          const [key = ''] = decision.keys;
          const prefix = prefixes.find((one) => key.startsWith(one.toLowerCase())) ?? '';
          const found = Object.entries(known).filter(([tag]) => tag.startsWith(prefix));
          context = context.withLookedUp(prefix, found);
          decision = decide(compiled, { ...query, context });
        }
        const expected = referenceOutcome(sets, { principal, ...asked, context: known });
        expect(outcomeOf(decision)).toMatchObject({ decision: expected.decision });
        const everything = { ...query, context: new RequestContext(Object.entries(known)) };
        expect(answerTo(compiled, { ...query, context })).toBe(answerTo(compiled, everything));
      }),
      { numRuns: otherRuns },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(otherRuns / 10);
  });
});
