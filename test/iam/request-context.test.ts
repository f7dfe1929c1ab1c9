import { describe, expect, it } from 'vitest';
import { RequestContext } from '../../src/iam/request-context.ts';

describe('RequestContext', () => {
  it('rejects keys that differ only in case', () => {
    const entries = [
      ['s3:RequestObjectTag/Team', 'a'],
      ['s3:RequestObjectTag/team', 'b'],
    ] as const;
    expect(() => new RequestContext(entries)).toThrow(TypeError);
  });

  it('keeps an empty string and drops an empty list', () => {
    const context = new RequestContext([
      ['s3:prefix', ''],
      ['aws:TagKeys', []],
    ]);
    expect(context.values('s3:prefix')).toEqual(['']);
    expect(context.values('aws:tagkeys')).toBeUndefined();
  });

  it('does not follow changes of the list it was given', () => {
    const tags = ['a'];
    const context = new RequestContext([['aws:TagKeys', tags]]);
    tags.push('b');
    expect(context.values('aws:tagkeys')).toEqual(['a']);
  });

  it('overlays keys ignoring case and leaves the original alone', () => {
    const before = new RequestContext([['aws:PrincipalTag/Team', 'red']]);
    const after = before.with([['aws:principaltag/TEAM', 'blue']]);
    expect(after.values('aws:principaltag/team')).toEqual(['blue']);
    expect(before.values('aws:principaltag/team')).toEqual(['red']);
  });

  it('takes a lazy key for unknown until it was looked up, and for absent when it was not found', () => {
    const before = new RequestContext([], ['s3:ExistingObjectTag/', 's3:exact']);
    expect(before.isLazy('s3:existingobjecttag/team')).toBe(true);
    expect(before.isLazy('s3:existingobjecttags')).toBe(false);
    expect(before.isLazy('s3:exactly')).toBe(false);
    const after = before.withLookedUp('S3:existingObjectTag/', [['s3:ExistingObjectTag/a', '1']]);
    expect(after.values('s3:existingobjecttag/a')).toEqual(['1']);
    expect(after.isLazy('s3:existingobjecttag/team')).toBe(false);
    expect(after.isLazy('s3:exact')).toBe(true);
  });
});
