import type { ContextEntry } from '../../src/iam/request-context.ts';
import { variable } from './policy-documents.ts';

/** A value that fills a session policy, compared with values that fill a request. */
export interface DearCondition {
  readonly title: string;
  readonly operator: string;
  readonly value: string;
  readonly entries: readonly ContextEntry[];
}

const userAgent = 'aws:UserAgent';
const tagKeys = 'aws:TagKeys';
const referer = variable('aws:referer');

/** As many tag keys, as long as they may be. */
const fifty = (text: string): readonly string[] =>
  Array.from({ length: 50 }, (_, index) => text.repeat(Math.ceil(128 / text.length)).slice(0, 126) + index);

const onTags = (title: string, value: string, text: string, operator = 'StringLike'): DearCondition => ({
  title: `${title} on tag keys`,
  operator: `ForAnyValue:${operator}`,
  value,
  entries: [
    [tagKeys, fifty(text)],
    ['aws:referer', text.repeat(120 / text.length)],
  ],
});

const onHeader = (title: string, value: string, given: string): DearCondition => ({
  title: `${title} on a header`,
  operator: 'StringLike',
  value,
  entries: [
    [userAgent, 'a'.repeat(2_048)],
    ['aws:referer', given],
  ],
});

/** The plainest work there is: comparing one code unit after the other. */
export const plainWork: DearCondition = onTags('runs of text', `*${'a'.repeat(12)}z*`, 'a');

export const dearConditions: readonly DearCondition[] = [
  onTags('a question mark before a variable', `?${referer}z`, 'a'),
  onTags('a question mark before a variable of other characters', `?${referer}z`, 'é'),
  onTags('a question mark between variables', `${referer}?${referer}z`, 'a'),
  onTags('a question mark and a variable between stars', `*?${referer}z*`, 'a'),
  onTags('a question mark and a variable of pairs between stars', `*?${referer}z*`, '😀'),
  onTags('a variable between stars', `*${referer}z*`, 'a'),
  onTags('many variables', `*${referer}*${referer}z`, 'a'),
  onTags('question marks', '*?a?z*', 'a'),
  onTags('question marks and pairs', `*?${'😀?'.repeat(4)}z*`, '😀'),
  onTags('a question mark behind text', `*${'a'.repeat(20)}?z*`, 'a'),
  onTags('short runs', '*aaaz*', 'a'),
  onTags('ends', '*z', 'a'),
  onTags('folded variables', `${referer}z`, 'é', 'StringEqualsIgnoreCase'),
  onTags('ARNs', 'arn:*:*:*:*:z', `arn:a:b:c:d:${'a'.repeat(114)}`, 'ArnLike'),
  onTags('bytes', 'QQ==', 'QUFB', 'BinaryEquals'),
  onHeader('a question mark before a variable', `?${referer}z`, 'a'.repeat(2_040)),
  onHeader('a question mark and a variable between stars', `*?${referer}z*`, 'a'.repeat(1_000)),
  onHeader('a variable between stars', `*${referer}z*`, 'a'.repeat(1_000)),
];

/** A session policy of the full size that denies by a condition, with as many copies of its value as fit. */
export function dearPolicyText({ operator, value, entries }: DearCondition): string {
  const [[key]] = entries as readonly [ContextEntry];
  const textOf = (values: readonly string[]): string =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: '*', Resource: '*' },
        { Effect: 'Deny', Action: '*', Resource: '*', Condition: { [operator]: { [key]: values } } },
      ],
    });
  const values = [value];
  while (textOf([...values, value]).length <= 2_048) values.push(value);
  return textOf(values);
}
