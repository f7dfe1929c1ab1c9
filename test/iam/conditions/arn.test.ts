import { describe, expect, it } from 'vitest';
import { variable } from '../../support/policy-documents.ts';
import { conditionOutcome } from '../../support/raw-policies.ts';

const role = 'arn:aws:iam::123456789012:role/team/reader';

describe('ARN operators', () => {
  it.each([
    ['itself', role],
    ['a star', '*'],
    ['stars in every segment', 'arn:*:*:*:*:*'],
    ['a star across slashes', 'arn:aws:iam::123456789012:role/*'],
    ['a question mark', 'arn:aws:iam::12345678901?:role/team/reader'],
    ['a star in the first segment', 'a*:aws:iam::123456789012:role/team/reader'],
    ['a star for an empty region', 'arn:aws:iam:*:123456789012:role/*/reader'],
    ['a variable', `arn:aws:iam::${variable('aws:PrincipalAccount')}:role/team/${variable('aws:username')}`],
    ['a variable with a default', `arn:aws:iam::${variable("aws:absent, '123456789012'")}:role/*`],
    ['a variable that is the whole ARN', variable('aws:PrincipalArn')],
  ])('match an ARN with %s', (_title, pattern) => {
    const context = {
      'aws:PrincipalAccount': '123456789012',
      'aws:username': 'reader',
      'aws:PrincipalArn': role,
    };
    expect(conditionOutcome('ArnLike', pattern, role, context)).toBe(true);
    expect(conditionOutcome('ArnEquals', pattern, role, context)).toBe(true);
    expect(conditionOutcome('ArnNotLike', pattern, role, context)).toBe(false);
    expect(conditionOutcome('ArnNotEquals', pattern, role, context)).toBe(false);
  });

  it.each([
    ['another case', 'arn:aws:iam::123456789012:role/team/READER'],
    ['a prefix', 'arn:aws:iam::123456789012:role/team'],
    ['a star that would have to cross a colon', 'arn:aws:iam:*:role/team/reader:*'],
    ['a star in place of a segment that is not empty', 'arn:aws:iam:?:123456789012:role/team/reader'],
    ['a value with a star', `arn:aws:iam::123456789012:role/${variable('aws:star')}`],
    ['an absent value', `arn:aws:iam::123456789012:role/team/reader${variable('aws:absent')}`],
    ['several values', `arn:aws:iam::123456789012:role/team/${variable('aws:list')}`],
    ['a value with a colon', `arn:aws:iam:${variable('aws:colon')}:role/team/reader:x`],
    ['a whole ARN from an absent value', variable('aws:absent')],
    ['a whole ARN from a value with a star', variable('aws:pattern')],
  ])('do not match an ARN with %s', (_title, pattern) => {
    const context = {
      'aws:star': '*',
      'aws:list': ['reader', 'writer'],
      'aws:colon': ':123456789012',
      'aws:pattern': 'arn:aws:iam::123456789012:role/*',
    };
    expect(conditionOutcome('ArnLike', pattern, role, context)).toBe(false);
    expect(conditionOutcome('ArnEquals', pattern, role, context)).toBe(false);
    expect(conditionOutcome('ArnNotLike', pattern, role, context)).toBe(true);
    expect(conditionOutcome('ArnNotEquals', pattern, role, context)).toBe(true);
  });

  it('let a colon of a value take part in the last segment only', () => {
    const context = { 'aws:colon': 'a:b' };
    const pattern = `arn:aws:logs:::${variable('aws:colon')}`;
    expect(conditionOutcome('ArnLike', pattern, 'arn:aws:logs:::a:b', context)).toBe(true);
    expect(conditionOutcome('ArnLike', pattern, 'arn:aws:logs:::a', context)).toBe(false);
  });

  it('treat a colon in the last segment of a pattern as text', () => {
    expect(conditionOutcome('ArnLike', 'arn:aws:logs:::group:*:x', 'arn:aws:logs:::group:a:b:x')).toBe(true);
  });
});
