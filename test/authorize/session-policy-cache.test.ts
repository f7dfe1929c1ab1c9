import { describe, expect, it } from 'vitest';
import { PolicyGatherer } from '../../src/authorize/gather-policies.ts';
import type { CompiledPolicy } from '../../src/iam/compile.ts';
import { callerOf, directoryOf } from '../support/authorization.ts';
import { variable } from '../support/policy-documents.ts';

const directory = directoryOf({ identity: [] });
const caller = callerOf('role-session', directory);

/** The compiled session policy of a session that was sealed with this text. */
function compiled(gatherer: PolicyGatherer, policy: string): CompiledPolicy | undefined {
  if (caller.kind !== 'role-session') throw new Error('not a session');
  const [only] = gatherer.gather({ ...caller, claims: { ...caller.claims, policy } }).session ?? [];
  return only;
}

/** How many of `total` policies of a shape are kept at most; `shape` has a place for a number. */
function kept(shape: string, total: number): number {
  const gatherer = new PolicyGatherer(directory);
  const texts = Array.from({ length: total }, (_, index) => shape.replace('#', () => String(1000 + index)));
  const first = texts.map((text) => compiled(gatherer, text));
  expect(first).not.toContain(undefined);
  // Newest first, so that recompiling one evicts none that is still kept.
  let count = 0;
  for (let index = total - 1; index >= 0; index -= 1) {
    if (compiled(gatherer, texts[index] ?? '') !== first[index]) break;
    count += 1;
  }
  return count;
}

const statement = (rest: string): string =>
  `{"Version":"2012-10-17","Id":"#","Statement":{"Effect":"Allow","Action":"*",${rest}}}`;
const patterns = (wildcard: string, count: number): string =>
  statement(
    `"Resource":[${Array.from({ length: count }, () => `"arn:${`${wildcard}:`.repeat(4)}${wildcard}"`).join()}]`,
  );
const values = (list: string): string =>
  statement(`"Resource":"*","Condition":{"StringLike":{"aws:userid":[${list}]}}`);

describe('compiled session policies', () => {
  it('are kept while they are small', () => {
    expect(kept(statement('"Resource":"arn:aws:s3:::data/*"'), 500)).toBe(500);
  });

  it('are kept no more once another gatherer has taken the place of theirs', () => {
    const gatherer = new PolicyGatherer(directory);
    const policy = statement('"Resource":"arn:aws:s3:::data/*"');
    const before = compiled(gatherer, policy);
    expect(compiled(gatherer, policy)).toBe(before);
    gatherer.forget();
    expect(compiled(gatherer, policy)).not.toBe(before);
    expect(compiled(gatherer, policy)).toBe(compiled(gatherer, policy));
    gatherer.retire();
    const after = compiled(gatherer, policy);
    expect(after).not.toBe(before);
    expect(compiled(gatherer, policy)).not.toBe(after);
  });

  it('are kept when they are full of wildcards: compiling them for every request would take longer than the request', () => {
    const list = Array.from({ length: 240 }, () => '"*?*?"').join();
    expect(kept(values(list), 50)).toBe(50);
  });

  it.each([
    ['patterns of wildcards', 200, patterns('*', 120)],
    ['wildcards that are written as escapes', 200, patterns('\\u002a', 44)],
    ['values without quotation marks', 200, values(Array.from({ length: 900 }, () => 1).join())],
    [
      'many variables',
      700,
      statement(`"Resource":"arn:aws:s3:::${variable('a:b')}${variable('$').repeat(450)}"`),
    ],
  ])('count by the memory that they take: %s', (_, total, shape) => {
    expect(kept(shape, total)).toBeLessThan(total);
  });
});
