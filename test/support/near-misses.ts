import { decide } from '../../src/iam/combine.ts';
import { nearMissText } from '../../src/iam/describe-near-miss.ts';
import { type NearMiss, nearestStatement } from '../../src/iam/near-miss.ts';
import type { AuthorizationQuery } from '../../src/iam/query.ts';
import { type ContextEntry, RequestContext } from '../../src/iam/request-context.ts';
import { compileSets } from './raw-policies.ts';
import type { RawSets, RawStatement } from './reference-evaluator.ts';

export const account = '123456789012';
export const userArn = `arn:aws:iam::${account}:user/anna`;
export const bucket = 'arn:aws:s3:::reports';

export interface Asked {
  readonly context?: readonly ContextEntry[];
  readonly lazyKeys?: readonly string[];
  readonly action?: string;
  readonly resource?: string;
  readonly principal?: AuthorizationQuery['principal'];
}

export function nearMissOf(sets: RawSets, asked: Asked = {}): NearMiss | undefined {
  const { action = 's3:ListBucket', resource = bucket, context = [], lazyKeys = [] } = asked;
  const compiled = compileSets(sets);
  const query: AuthorizationQuery = {
    principal: asked.principal ?? { kind: 'user', accountId: account, arn: userArn },
    action,
    resource,
    context: new RequestContext(context, lazyKeys),
  };
  const decision = decide(compiled, query);
  if (decision.effect !== 'deny') throw new Error(`the decision is ${decision.effect}`);
  return nearestStatement(compiled, query, decision);
}

export function textOf(sets: RawSets, asked: Asked = {}): string | undefined {
  const found = nearMissOf(sets, asked);
  return found && nearMissText(found);
}

export const policy = (...Statement: RawStatement[]) => ({ Version: '2012-10-17' as const, Statement });
export const listing = (Condition: RawStatement['Condition'] = {}): RawStatement => ({
  Effect: 'Allow',
  Action: 's3:ListBucket',
  Resource: bucket,
  Condition,
});
export const everything: RawStatement = { Effect: 'Allow', Action: '*', Resource: '*' };
export const red: Asked = { context: [['s3:prefix', 'red/']] };
export const prefix = (like: string): RawStatement => listing({ StringLike: { 's3:prefix': like } });
