import { describe, expect, it } from 'vitest';
import { evaluatePolicies } from '../../src/iam/evaluate.ts';
import { RequestContext } from '../../src/iam/request-context.ts';
import { compileAll } from '../support/raw-policies.ts';

const context = new RequestContext();
const principal = {
  kind: 'user',
  accountId: '123456789012',
  arn: 'arn:aws:iam::123456789012:user/anna',
} as const;

describe('StatementIndex', () => {
  it('leaves only the statements of the bucket', () => {
    const Statement = Array.from({ length: 20 }, (_, index) => ({
      Effect: index % 2 === 0 ? 'Allow' : 'Deny',
      Action: 's3:*',
      Resource: [`arn:aws:s3:::b${index}`, `arn:aws:s3:::b${index}/*`],
    }));
    const [policy] = compileAll([{ Statement }], 'identity');
    const found = policy?.index.find('s3:GetObject', 'arn:aws:s3:::b1/k');
    // b1 and, as prefixes are not told from names here, nothing else: b10 to b19 start longer.
    expect(found?.denies.map(({ reference }) => reference.index)).toEqual([1]);
    expect(found?.allows).toEqual([]);
  });

  it('stays right after thousands of bucket names and action names', () => {
    const Statement = Array.from({ length: 10 }, (_, index) => ({
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::b${index}/*`,
    }));
    const policies = compileAll([{ Statement }], 'identity');
    for (let round = 0; round < 3000; round += 1) {
      const resource = `arn:aws:s3:::b${round}/k`;
      const action = round % 3 === 0 ? 's3:GetObject' : `s3:GetObject${round}`;
      const { effect } = evaluatePolicies(policies, { principal, action, resource, context });
      expect(effect).toBe(round < 10 && round % 3 === 0 ? 'allow' : 'none');
    }
  });
});
