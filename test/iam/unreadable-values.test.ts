import { describe, expect, it } from 'vitest';
import { decide } from '../../src/iam/combine.ts';
import { compilePolicy } from '../../src/iam/compile.ts';
import { parsePolicyText } from '../../src/iam/document.ts';
import { RequestContext } from '../../src/iam/request-context.ts';
import { problemsOf } from '../support/policy-documents.ts';
import { compileAll } from '../support/raw-policies.ts';

const principal = {
  kind: 'user',
  accountId: '123456789012',
  arn: 'arn:aws:iam::123456789012:user/anna',
} as const;
const allowAll = { Effect: 'Allow', Action: '*', Resource: '*' };
const fault = { effect: 'deny', isExplicitDeny: false, fault: { code: 'malformed-value' } };

/** An Allow that does not apply, beside one of another statement that does. */
function expectNoAllow(Condition: object, value: string): void {
  const conditional = { ...allowAll, Condition };
  expect(decideOn([conditional], value)).toEqual({
    effect: 'deny',
    isExplicitDeny: false,
    policyType: 'identity',
    sets: expect.objectContaining({ identity: 'none' }),
  });
  expect(decideOn([conditional, allowAll], value).effect).toBe('allow');
  expect(decideOn([allowAll, conditional], value).effect).toBe('allow');
}

/** A Deny that applies, wherever it stands. */
function expectDeny(Condition: object, value: string): void {
  const conditional = { ...allowAll, Effect: 'Deny', Condition };
  expect(decideOn([allowAll, conditional], value)).toMatchObject({ effect: 'deny', isExplicitDeny: true });
  expect(decideOn([conditional, allowAll], value)).toMatchObject({ effect: 'deny', isExplicitDeny: true });
}

function decideOn(statements: readonly object[], value: string, resource = 'arn:aws:s3:::b/k') {
  const identity = compileAll([{ Version: '2012-10-17', Statement: statements }], 'identity');
  const context = new RequestContext([['aws:x', value]]);
  return decide({ identity }, { principal, action: 's3:GetObject', resource, context });
}

describe.each(['', 'x', '10.0.0.256', '10.0.0.1/8', '1::2::3', '%eth0', `${'0'.repeat(100)}::1`])(
  'a decision about the address %j',
  (value) => {
    it.each([
      'NotIpAddress',
      'NotIpAddressIfExists',
      'ForAllValues:NotIpAddress',
      'ForAnyValue:NotIpAddress',
    ])('does not meet an Allow with %s', (operator) => {
      const Condition = { [operator]: { 'aws:x': '10.0.0.0/8' } };
      expectNoAllow(Condition, value);
    });

    it.each(['IpAddress', 'IpAddressIfExists', 'ForAnyValue:IpAddress'])(
      'meets a Deny with %s',
      (operator) => {
        const Condition = { [operator]: { 'aws:x': ['10.0.0.0/8', '::/0'] } };
        expectDeny(Condition, value);
      },
    );
  },
);

describe.each(['', 'yes', '1', 'true ', 'falſe'])('a decision about the boolean %j', (value) => {
  it.each(['Bool', 'BoolIfExists', 'ForAnyValue:Bool'])('meets a Deny with %s', (operator) => {
    const Condition = { [operator]: { 'aws:x': 'false' } };
    expectDeny(Condition, value);
  });
});

/** A value that a family cannot compare, an operand that it can, and operators that must not overlook the value. */
const families = [
  { value: 'abc', operand: '1', negated: 'NumericNotEquals', positive: 'NumericGreaterThan' },
  { value: '', operand: '1', negated: 'NumericNotEquals', positive: 'NumericLessThanEquals' },
  { value: `1${'0'.repeat(64)}`, operand: '1', negated: 'NumericNotEquals', positive: 'NumericGreaterThan' },
  { value: 'abc', operand: '2026', negated: 'DateNotEquals', positive: 'DateGreaterThan' },
  { value: '2026-02-30', operand: '2026', negated: 'DateNotEquals', positive: 'DateLessThan' },
  {
    value: `2026-01-01T00:00:00.${'0'.repeat(64)}Z`,
    operand: '2026',
    negated: 'DateNotEquals',
    positive: 'DateEquals',
  },
  { value: 'alias/key', operand: 'arn:aws:kms:*:*:key/*', negated: 'ArnNotLike', positive: 'ArnLike' },
  { value: '*', operand: 'arn:aws:kms:*:*:key/*', negated: 'ArnNotEquals', positive: 'ArnEquals' },
  { value: 'arn:aws:kms:::', operand: '*', negated: 'ArnNotLike', positive: 'ArnLike' },
];

describe.each(families)('a decision about $value', ({ value, operand, negated, positive }) => {
  it.each(['', 'IfExists'])(`does not meet an Allow with ${negated}%s`, (suffix) => {
    const Condition = { [negated + suffix]: { 'aws:x': operand } };
    expectNoAllow(Condition, value);
  });

  it.each(['ForAllValues:', 'ForAnyValue:'])(`does not meet an Allow with %s${negated}`, (prefix) => {
    const Condition = { [prefix + negated]: { 'aws:x': operand } };
    expectNoAllow(Condition, value);
  });

  it.each(['', 'ForAllValues:', 'ForAnyValue:'])(`meets a Deny with %s${positive}`, (prefix) => {
    const Condition = { [prefix + positive]: { 'aws:x': operand } };
    expectDeny(Condition, value);
  });
});

describe.each(['QQ', 'QR==', '%'])('a decision about the bytes %j', (value) => {
  it.each(['', 'ForAllValues:', 'ForAnyValue:'])('meets a Deny with %sBinaryEquals', (prefix) => {
    const Condition = { [`${prefix}BinaryEquals`]: { 'aws:x': 'QQ==' } };
    expectDeny(Condition, value);
  });
});

describe('a tag that anyone may write', () => {
  const publicTag = { Bool: { 'aws:x': 'true' } };

  it.each(['yes', 'TRUE ', ''])('says nothing about other statements: %j', (value) => {
    const tagged = { ...allowAll, Sid: 'Public', Condition: publicTag };
    for (const statements of [
      [tagged, allowAll],
      [allowAll, tagged],
    ])
      expect(decideOn(statements, value)).toMatchObject({ effect: 'allow' });
  });

  it('does not make a Deny apply whose other condition is false', () => {
    const other = { StringEquals: { 'aws:y': 'never' } };
    for (const Condition of [
      { ...publicTag, ...other },
      { ...other, ...publicTag },
    ])
      expect(decideOn([allowAll, { ...allowAll, Effect: 'Deny', Condition }], 'yes').effect).toBe('allow');
  });
});

describe('a decision about a resource that is not an ARN', () => {
  const { Resource: _, ...allow } = allowAll;
  const beside = { ...allow, NotResource: 'arn:aws:s3:::secret/*' };

  it.each(['', '**', 'b/k', 'arn:aws:s3:::'.slice(0, -1)])(
    'denies %j with a fault under NotResource',
    (resource) => {
      expect(decideOn([beside], 'x', resource)).toMatchObject(fault);
    },
  );

  it('is under NotResource when the action is on no resource', () => {
    expect(decideOn([beside], 'x', '*').effect).toBe('allow');
    expect(decideOn([allowAll, { ...beside, Effect: 'Deny' }], 'x', '*').effect).toBe('deny');
    expect(decideOn([{ ...allow, NotResource: ['arn:aws:s3:::a', '*'] }], 'x', '*').effect).toBe('deny');
  });
});

describe('numbers in the text of a policy', () => {
  function textWith(number: string): string {
    const values = `{"StringEquals":{"aws:PrincipalTag/id":${number}}}`;
    return `{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":${values}}]}`;
  }

  it.each(['9007199254740993', '1.10', '1e2', '0.1000000000000000055'])(
    'rejects %s, whose text would change',
    (number) => {
      expect(() => parsePolicyText(textWith(number), 'identity')).toThrow('write it so, or as a string');
    },
  );

  it('keeps the text of a number that does not change', () => {
    const policy = compilePolicy(parsePolicyText(textWith('9007199254740991'), 'identity'), 'p');
    const context = new RequestContext([['aws:PrincipalTag/id', '9007199254740991']]);
    const query = { principal, action: 's3:GetObject', resource: 'arn:aws:s3:::b/k', context };
    expect(decide({ identity: [policy] }, query)).toMatchObject({ isExplicitDeny: true });
  });

  it('takes numbers of a parsed document as they are', () => {
    const Condition = { StringEquals: { 'aws:PrincipalTag/id': 1 } };
    expect(problemsOf({ Statement: { ...allowAll, Condition } }, 'identity')).toEqual([]);
  });
});
