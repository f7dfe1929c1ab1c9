import { describe, expect, it } from 'vitest';
import { conditionOperators } from '../../src/iam/conditions/index.ts';
import { corpus, type VectorCase } from './corpus.ts';

const cases = corpus.flatMap(({ cases: ofFile }) => ofFile);

/** The condition blocks of all policies of a case. */
function conditionsOf(vector: VectorCase): [operator: string, keys: Readonly<Record<string, unknown>>][] {
  const policies = [
    ...vector.identityPolicies,
    ...(vector.sessionPolicies ?? []),
    ...(vector.permissionsBoundary ?? []),
    ...(vector.resourcePolicy ?? []),
    ...(vector.trustPolicy ?? []),
  ] as { Statement: unknown }[];
  const statements = policies.flatMap(({ Statement }) => [Statement].flat()) as {
    Condition?: Record<string, Record<string, unknown>>;
  }[];
  return statements.flatMap(({ Condition = {} }) => Object.entries(Condition));
}

function presenceOf(key: string, { context }: VectorCase['request']): string {
  const found = Object.entries(context).find(([name]) => name.toLowerCase() === key.toLowerCase());
  const count = [found?.[1] ?? []].flat().length;
  return count === 0 ? 'absent' : count === 1 ? 'one' : 'several';
}

describe('the corpus', () => {
  it('has enough cases, each with a name of its own in its file and a source', () => {
    expect(cases.length).toBeGreaterThanOrEqual(320);
    for (const { file, cases: ofFile } of corpus) {
      const names = ofFile.map(({ name }) => name);
      expect(new Set(names).size, file).toBe(names.length);
    }
    for (const { source } of cases) expect(source).toMatch(/^(?:IAM|AWS|Amazon)/);
  });

  it('has a case for every operator in every form with an absent key, one value and several', () => {
    const reached = new Set(
      cases.flatMap((vector) =>
        conditionsOf(vector).flatMap(([operator, keys]) =>
          Object.keys(keys).map((key) => `${operator.toLowerCase()} ${presenceOf(key, vector.request)}`),
        ),
      ),
    );
    const names = conditionOperators.map(({ name }) => name.toLowerCase());
    const forms = names.flatMap((name) =>
      name === 'null' ? [name] : [name, `${name}ifexists`, `forallvalues:${name}`, `foranyvalue:${name}`],
    );
    const cells = forms.flatMap((form) =>
      ['absent', 'one', 'several'].map((presence) => `${form} ${presence}`),
    );
    expect(cells).toHaveLength((26 * 4 + 1) * 3);
    expect(cells.filter((cell) => !reached.has(cell))).toEqual([]);
  });

  it('expects both outcomes of every operator', () => {
    const outcomes = new Set(
      cases.flatMap((vector) =>
        conditionsOf(vector).map(([operator]) => {
          const base = operator.toLowerCase().replace(/^.*:|ifexists$/g, '');
          return `${base} ${vector.expected.decision === 'allow'}`;
        }),
      ),
    );
    const names = conditionOperators.map(({ name }) => name.toLowerCase());
    const wanted = names.flatMap((name) => [`${name} true`, `${name} false`]);
    expect(wanted.filter((outcome) => !outcomes.has(outcome))).toEqual([]);
  });

  it('expects every kind of answer, from every kind of set and of every kind of caller', () => {
    const answers = new Set(
      cases.map(({ expected }) =>
        [expected.decision, expected.by].filter((part) => part !== undefined).join(' by '),
      ),
    );
    const sets = ['boundary', 'identity', 'resource', 'session'];
    expect([...answers].sort()).toEqual([
      'allow by identity',
      'allow by resource',
      ...sets.map((by) => `explicitDeny by ${by}`),
      ...sets.map((by) => `implicitDeny by ${by}`),
      'needs',
    ]);
    const levels = new Set(cases.flatMap(({ expected }) => expected.resourceLevel ?? []));
    expect([...levels].sort()).toEqual(['account', 'direct', 'entity', 'none']);
    const callers = new Set(cases.map(({ request }) => request.principal.kind));
    expect(callers.size).toBe(7);
  });
});
