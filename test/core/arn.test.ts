import { expect, it } from 'vitest';
import { accountOf } from '../../src/core/arn.ts';

it.each([
  ['arn:aws:iam::123456789012:user/alice', '123456789012'],
  ['arn:aws:sts::123456789012:assumed-role/reader/a:b', '123456789012'],
  ['arn:aws:iam::123456789012', '123456789012'],
  ['arn:aws:s3:::bucket', ''],
  ['arn:aws:iam:', ''],
  ['alice', ''],
  ['', ''],
])('the account of %s is %j', (arn, account) => {
  expect(accountOf(arn)).toBe(account);
});
