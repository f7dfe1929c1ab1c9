import { describe, expect, it } from 'vitest';
import type { ContextEntry } from '../../src/iam/request-context.ts';
import { listing, policy, textOf } from '../support/near-misses.ts';
import type { RawStatement } from '../support/reference-evaluator.ts';

describe('the reason of a near miss', () => {
  const told = (Condition: RawStatement['Condition'], ...context: ContextEntry[]): string | undefined =>
    textOf({ identity: [policy(listing(Condition))] }, { context })?.replace('Statement identity-0[0]: ', '');

  it.each<[string, RawStatement['Condition'], ContextEntry[]]>([
    [
      'StringLike s3:prefix is not in the request, and `a` or `b` is wanted',
      { StringLike: { 's3:prefix': ['a', 'b'] } },
      [],
    ],
    [
      'Null s3:prefix `x` is in the request, and `true` is wanted',
      { Null: { 's3:prefix': 'true' } },
      [['s3:prefix', 'x']],
    ],
    ['Null s3:prefix is not in the request, and `false` is wanted', { Null: { 's3:prefix': 'false' } }, []],
    [
      'StringNotLike s3:prefix `secret/x` matches `secret/*`',
      { StringNotLike: { 's3:prefix': 'secret/*' } },
      [['s3:prefix', 'secret/x']],
    ],
    [
      'IpAddress aws:SourceIp `192.0.2.1` does not match `10.0.0.0/8`',
      { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
      [['aws:SourceIp', '192.0.2.1']],
    ],
    [
      'NumericLessThan s3:max-keys `many` is not a value that the operator can read',
      { NumericLessThan: { 's3:max-keys': '10' } },
      [['s3:max-keys', 'many']],
    ],
    [
      'StringEquals aws:TagKeys `a`, `b` is a list, which only ForAllValues and ForAnyValue compare',
      { StringEquals: { 'aws:TagKeys': 'a' } },
      [['aws:TagKeys', ['a', 'b']]],
    ],
    [
      'ForAllValues:StringEquals aws:TagKeys `a`, `b`, `c`, 1 other does not match `a`',
      { 'ForAllValues:StringEquals': { 'aws:TagKeys': 'a' } },
      [['aws:TagKeys', ['a', 'b', 'c', 'd']]],
    ],
    [
      'StringEquals aws:RequestTag/team has several values, under keys that differ only in case',
      { StringEquals: { 'aws:RequestTag/team': 'x' } },
      [
        ['aws:RequestTag/team', 'x'],
        ['aws:RequestTag/TEAM', 'y'],
      ],
    ],
  ])('%s', (expected, condition, context) => {
    expect(told(condition, ...context)).toBe(expected);
  });

  it.each(['aws:Referer', 'aws:UserAgent', 'AWS:useragent'])(
    'does not show what a policy wants of %s, since bucket policies compare it with secrets',
    (name) => {
      const one = told({ StringEquals: { [name]: 'hush' } }, [name, 'a-guess']);
      expect(one).toBe(`StringEquals ${name} \`a-guess\` does not match a value that is not shown`);
      const several = told({ StringEquals: { [name]: ['hush', 'hush-hush'] } }, [name, 'a-guess']);
      expect(several).toBe(`StringEquals ${name} \`a-guess\` does not match 2 values that are not shown`);
    },
  );

  it('shows a Referer without what it may hold of secrets', () => {
    const Condition = { StringLike: { 'aws:Referer': 'https://page.example/*' } };
    const text = told(Condition, ['aws:Referer', 'https://me:hush@other.example/a?X-Amz-Signature=hush']);
    expect(text).toContain('`…@other.example/a`');
    expect(text).not.toContain('hush');
  });

  it('shows nothing that a terminal acts on, and cuts what is long', () => {
    const text = told({ StringLike: { 's3:prefix': 'blue/*' } }, [
      's3:prefix',
      `\u001b[2J\n\u202e\`${'x'.repeat(9_000)}`,
    ]);
    expect(text).toMatch(
      /^StringLike s3:prefix `\\u\{1b\}\[2J\\u\{a\}\\u\{202e\}\\u\{60\}x+…` does not match/,
    );
    expect(text?.length).toBeLessThan(300);
  });

  it('stays short whatever the policy is', () => {
    const long = 'x'.repeat(1_500);
    const values = Array.from({ length: 4 }, (_, index) => index + long);
    const key = `aws:PrincipalTag/${long}`;
    const sets = { identity: [policy({ ...listing({ StringLike: { [key]: values } }), Sid: long })] };
    expect(textOf(sets, { context: [[key, values]] })?.length).toBeLessThan(1_400);
  });
});
