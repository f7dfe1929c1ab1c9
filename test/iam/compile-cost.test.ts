import { expect, it } from 'vitest';
import { compilePolicy } from '../../src/iam/compile.ts';
import { parsePolicyText } from '../../src/iam/document.ts';
import { countSteps } from '../support/count-steps.ts';
import { variable } from '../support/policy-documents.ts';

/** A session policy of the full size with as many copies of a value as fit. */
function filled(statement: (values: readonly string[]) => object, value: string): string {
  const textOf = (values: readonly string[]): string =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Deny', Action: '*', ...statement(values) },
    });
  const values = [value];
  while (textOf([...values, value]).length <= 2_048) values.push(value);
  return textOf(values);
}

const condition = (operator: string) => (values: readonly string[]) => ({
  Resource: '*',
  Condition: { [operator]: { 'a:b': values } },
});

it.each([
  ['wildcards', filled(condition('StringLike'), '*?*?')],
  ['variables', filled(condition('StringLike'), `?${variable('a:b')}`)],
  ['ARNs', filled(condition('ArnLike'), '*:*:*:*:*:*')],
  ['resources', filled((Resource) => ({ Resource }), 'arn:?*:?*:?*:?*:?*')],
])('a session policy full of %s is read and compiled in few steps', async (_title, text) => {
  const compile = async (): Promise<void> => {
    compilePolicy(parsePolicyText(text, 'session'), 'session policy');
  };
  await compile();
  expect((await countSteps(compile)) / text.length).toBeLessThan(24);
});
