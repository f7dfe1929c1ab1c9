import { describe, expect, it } from 'vitest';
import { type CompiledPolicy, compilePolicy } from '../../src/iam/compile.ts';
import { parsePolicyText } from '../../src/iam/document.ts';
import { RequestContext } from '../../src/iam/request-context.ts';
import type { StatementIndex } from '../../src/iam/statement-index.ts';
import { evaluatePolicies } from '../support/evaluate-policies.ts';
import { memoryOf } from '../support/heap.ts';
import { compileAll } from '../support/raw-policies.ts';

const context = new RequestContext();
const principal = {
  kind: 'user',
  accountId: '123456789012',
  arn: 'arn:aws:iam::123456789012:user/anna',
} as const;

describe('StatementIndex', () => {
  it('returns only the statements of the bucket', () => {
    const Statement = Array.from({ length: 60 }, (_, index) => ({
      Effect: index % 2 === 0 ? 'Allow' : 'Deny',
      Action: 's3:*',
      Resource: [`arn:aws:s3:::b${index}`, `arn:aws:s3:::b${index}/*`],
    }));
    const [policy] = compileAll([{ Statement }], 'identity');
    const found = policy?.index.find('s3:GetObject', 'arn:aws:s3:::b1/k');
    expect(found?.denies.map(({ reference }) => reference.index)).toEqual([1]);
    expect(found?.allows).toEqual([]);
  });

  it('stays correct after thousands of bucket names and action names', () => {
    const Statement = Array.from({ length: 60 }, (_, index) => ({
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::b${index}/*`,
    }));
    const policies = compileAll([{ Statement }], 'identity');
    for (let round = 0; round < 3000; round += 1) {
      const resource = `arn:aws:s3:::b${round}/k`;
      const action = round % 3 === 0 ? 's3:GetObject' : `s3:GetObject${round}`;
      const { effect } = evaluatePolicies(policies, { principal, action, resource, context });
      expect(effect).toBe(round < 60 && round % 3 === 0 ? 'allow' : 'none');
    }
  });

  it('shares the list of statements between actions and buckets that have the same', () => {
    const Statement = Array.from({ length: 60 }, (_, index) => ({
      Effect: 'Allow',
      Action: 's3:*',
      Resource: index < 2 ? `arn:aws:s3:::b${index}/*` : 'arn:aws:s3:::other/*',
    }));
    const index = compileAll([{ Statement }], 'identity')[0]?.index;
    const found = index?.find('s3:GetObject', 'arn:aws:s3:::b1/k');
    expect(index?.find('s3:PutObject', 'arn:aws:s3:::b1/k')).toBe(found);
    expect(index?.find('s3:GetObject', 'arn:aws:s3:::b1/k')).toBe(found);
    expect(index?.find('s3:GetObject', 'arn:aws:s3:::b0/k')).not.toBe(found);
  });

  it('does not grow with the buckets that clients name to a session policy', async () => {
    const statement = '{"Effect":"Deny","Action":"*","Resource":"*"}';
    const text = `{"Statement":[${Array.from({ length: 44 }, () => statement).join()}]}`;
    const compile = () => compilePolicy(parsePolicyText(text, 'session'), 'session policy').index;
    const indexes = [compile(), compile(), compile()];
    expect(await memoryOf(() => askManyBuckets(indexes.pop() ?? compile()))).toBeLessThan(256 * 1024);
  });

  it('has one list for all buckets that no statement names', () => {
    const Statement = Array.from({ length: 44 }, (_, index) => ({
      Effect: 'Allow',
      Action: 's3:*',
      Resource: index === 0 ? 'arn:aws:s3:::open*' : `arn:aws:s3:::b${index}/*`,
    }));
    const index = compileAll([{ Statement }], 'identity')[0]?.index;
    const found = index?.find('s3:GetObject', 'arn:aws:s3:::open-1/k');
    expect(found?.allows.map(({ reference }) => reference.index)).toEqual([0]);
    expect(index?.find('s3:GetObject', 'arn:aws:s3:::open-2')).toBe(found);
    expect(index?.find('s3:GetObject', 'arn:aws:s3:::b1/k')?.allows).toHaveLength(2);
  });

  it('does not narrow by bucket when the lists would be many times as long as the policy', () => {
    const Statement = Array.from({ length: 400 }, (_, index) => ({
      Effect: 'Allow',
      Action: 's3:*',
      Resource: index % 2 === 0 ? '*' : `arn:aws:s3:::b${index}/*`,
    }));
    const index = compilePolicy(
      parsePolicyText(JSON.stringify({ Statement: Statement.slice(0, 90) }), 'identity'),
      'p',
    ).index;
    expect(index.find('s3:GetObject', 'arn:aws:s3:::b1/k').allows).toHaveLength(46);
    const bucketPolicy = parsePolicyText(
      JSON.stringify({
        Statement: Statement.map((one) => ({
          Effect: 'Deny',
          Principal: '*',
          NotAction: 'x:x',
          Resource: one.Resource,
        })).slice(0, 260),
      }),
      'resource',
    );
    const long = compilePolicy(bucketPolicy, 'p').index;
    expect(long.find('s3:GetObject', 'arn:aws:s3:::b1/k').denies).toHaveLength(260);
  });

  it('of a session policy takes no more than what it is counted for, whatever actions are asked about', async () => {
    askManyActions(manyLists(0));
    let round = 0;
    // Other policies in each round, so that their indexes are empty before.
    const rounds = Array.from({ length: 3 }, (_, at) =>
      Array.from({ length: 100 }, (_one, version) => manyLists(100 * at + version + 1)),
    );
    const growth = await memoryOf(() => {
      rounds[round]?.forEach(askManyActions);
      round += 1;
    });
    const first = rounds[0]?.[0];
    expect(growth).toBeLessThan(100 * (first?.index.maxBytes ?? 0));
    // The text is 1.9 KB; its policy counts some 130.
    expect(first?.index.maxBytes).toBeLessThan(16 * 1024);
  });

  it('keeps no bucket name and no piece of a key that clients send to a long policy', async () => {
    const Statement = Array.from({ length: 100 }, (_, index) => ({
      Effect: 'Allow',
      Action: 's3:*',
      Resource: `arn:aws:s3:::bucket-${index}*`,
    }));
    const [warm, policy] = compileAll([{ Statement }, { Statement }], 'identity');
    if (warm === undefined || policy === undefined) throw new Error('no policy');
    askManyBuckets(warm.index);
    let round = 0;
    const growth = await memoryOf(() => {
      round += 1;
      askManyBuckets(policy.index, round);
    });
    expect(growth).toBeLessThan(256 * 1024);
  });
});

/** A session policy of nearly full size whose every action has another list of statements. */
function manyLists(version: number): CompiledPolicy {
  const Statement = Array.from({ length: 26 }, (_, at) => ({
    Effect: 'Deny',
    NotAction: `s3:*${String.fromCharCode(97 + at)}*`,
    Resource: `arn:aws:s3:::${at}`,
  }));
  const text = JSON.stringify({ Id: String(version), Statement });
  return compilePolicy(parsePolicyText(text, 'session'), 'session policy');
}

function askManyActions({ index }: CompiledPolicy): void {
  for (let at = 0; at < 64; at += 1) {
    const letters = Array.from({ length: 6 }, (_, bit) => ((at >> bit) & 1 ? 'abcdef'[bit] : 'x'));
    index.find(`s3:${letters.join('')}`, 'arn:aws:s3:::1/k');
  }
}

function askManyBuckets(index: StatementIndex, round = 0): void {
  for (let action = 0; action < 4; action += 1) {
    for (let bucket = 0; bucket < 250; bucket += 1) {
      const name = `bucket-${round}-${bucket}-${'x'.repeat(40)}`;
      // Decoded bytes are one flat string, so that a slice of it would keep all of it.
      const resource = Buffer.from(`arn:aws:s3:::${name}/${'k'.repeat(4000)}${action}`).toString();
      index.find(`s3:Action${action}`, resource);
    }
  }
}
