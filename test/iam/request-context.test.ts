import { describe, expect, it } from 'vitest';
import { foldCase } from '../../src/core/fold-case.ts';
import { ambiguous, KeyTable } from '../../src/iam/key-table.ts';
import { RequestContext } from '../../src/iam/request-context.ts';

describe('RequestContext', () => {
  it('rejects keys that differ only in case', () => {
    const entries = [
      ['s3:Prefix', 'a'],
      ['s3:prefix', 'b'],
    ] as const;
    expect(() => new RequestContext(entries)).toThrow(TypeError);
  });

  it('marks tags whose keys differ only in case as ambiguous, also after a look-up', () => {
    const entries = [
      ['s3:RequestObjectTag/Team', 'a'],
      ['s3:RequestObjectTag/team', 'b'],
      ['s3:RequestObjectTag/Stage', 'test'],
      ['s3:RequestObjectTag/stage', ['test']],
    ] as const;
    for (const many of [[], Array.from({ length: 20 }, (_, at) => [`aws:RequestTag/k${at}`, 'v'] as const)]) {
      const context = new RequestContext([...many, ...entries], ['s3:ExistingObjectTag/']);
      const looked = context.withLookedUp('s3:ExistingObjectTag/', [
        ['s3:ExistingObjectTag/a', '1'],
        ['s3:ExistingObjectTag/A', '2'],
      ]);
      expect(context.value('s3:requestobjecttag/team')).toBe(ambiguous);
      expect(looked.value('s3:requestobjecttag/team')).toBe(ambiguous);
      expect(looked.value('s3:existingobjecttag/a')).toBe(ambiguous);
      expect(looked.value('s3:requestobjecttag/stage')).toEqual(['test']);
      const replaced = looked.with([['s3:RequestObjectTag/TEAM', 'c']]);
      expect(replaced.value('s3:requestobjecttag/team')).toBe('c');
    }
  });

  it('keeps an empty string and drops an empty list', () => {
    const context = new RequestContext([
      ['s3:prefix', ''],
      ['aws:TagKeys', []],
    ]);
    expect(context.value('s3:prefix')).toBe('');
    expect(context.value('aws:tagkeys')).toBeUndefined();
  });

  it('does not follow later changes of the list it was given', () => {
    const tags = ['a'];
    const context = new RequestContext([['aws:TagKeys', tags]]);
    tags.push('b');
    expect(context.value('aws:tagkeys')).toEqual(['a']);
  });

  it('replaces keys ignoring case and leaves the original unchanged', () => {
    const before = new RequestContext([['aws:PrincipalTag/Team', 'red']]);
    const after = before.with([['aws:principaltag/TEAM', 'blue']]);
    expect(after.value('aws:principaltag/team')).toBe('blue');
    expect(before.value('aws:principaltag/team')).toBe('red');
  });

  it('shares what was looked up with other contexts, each with its own keys', () => {
    const found = new KeyTable([['s3:BucketTag/Team', 'blue']]);
    const [one, other] = ['a', 'b'].map((prefix) =>
      new RequestContext(() => [['s3:prefix', prefix]], ['s3:BucketTag/', 'aws:ResourceTag/'])
        .withLookedUp('s3:BucketTag/', found)
        .withLookedUp('aws:ResourceTag/', [['aws:ResourceTag/team', prefix]]),
    );
    expect([one, other].map((context) => context?.value('s3:prefix'))).toEqual(['a', 'b']);
    expect([one, other].map((context) => context?.value('s3:buckettag/team'))).toEqual(['blue', 'blue']);
    expect([one, other].map((context) => context?.value('aws:resourcetag/team'))).toEqual(['a', 'b']);
    expect(one?.isLazy('s3:buckettag/none')).toBe(false);
    expect(one?.value('s3:buckettag/none')).toBeUndefined();
  });

  it('treats a lazy key as unknown until it is looked up, and then as absent if it was not found', () => {
    const before = new RequestContext([], ['s3:ExistingObjectTag/', 's3:exact']);
    expect(before.isLazy('s3:existingobjecttag/team')).toBe(true);
    expect(before.isLazy('s3:existingobjecttags')).toBe(false);
    expect(before.isLazy('s3:exactly')).toBe(false);
    const after = before.withLookedUp('S3:existingObjectTag/', [['s3:ExistingObjectTag/a', '1']]);
    expect(after.value('s3:existingobjecttag/a')).toBe('1');
    expect(after.isLazy('s3:existingobjecttag/team')).toBe(false);
    expect(after.isLazy('s3:exact')).toBe(true);
  });
});

describe('RequestContext with letters whose lower case depends on their neighbours', () => {
  it.each([0, 30])('finds a key however it is written, beside %i others', (others) => {
    const many = Array.from({ length: others }, (_, at) => [`aws:x${at}`, 'x'] as const);
    const context = new RequestContext([...many, ['login.example.com:\u03a3', 'final']]);
    for (const sigma of ['\u03a3', '\u03c3', '\u03c2']) {
      const key = foldCase(`login.example.com:${sigma}`);
      expect(context.value(key)).toBe('final');
      const replaced = context.with([[`LOGIN.example.com:${sigma}`, 'replaced']]);
      expect(replaced.value(key)).toBe('replaced');
    }
  });
});

describe('RequestContext of many keys', () => {
  const many = Array.from({ length: 30 }, (_, at) => [`aws:PrincipalTag/Key${at}`, `${at}`] as const);

  it('finds each of them and nothing else', () => {
    const context = new RequestContext(many);
    for (const [key, value] of many) expect(context.value(key.toLowerCase())).toBe(value);
    expect(context.value('aws:principaltag/key30')).toBeUndefined();
    expect(context.with([['aws:PrincipalTag/KEY7', 'seven']]).value('aws:principaltag/key7')).toBe('seven');
  });

  it('rejects one that differs from another only in case', () => {
    expect(() => new RequestContext([...many, ['aws:x', 'x'], ['AWS:x', 'x']])).toThrow(
      'condition key aws:x is given twice',
    );
  });

  it('distinguishes names however many were seen before', () => {
    for (let round = 0; round < 2000; round += 1) {
      const context = new RequestContext([[`aws:RequestTag/Name${round}`, 'x']]);
      expect(context.value(`aws:requesttag/name${round}`)).toBe('x');
      expect(context.value(`aws:RequestTag/Name${round}`)).toBeUndefined();
    }
  });
});
