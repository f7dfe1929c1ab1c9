import { describe, expect, it } from 'vitest';
import {
  aliasesOfDeleted,
  aliasesOfSource,
  aliasesOfSubresource,
  climbsOut,
  leavesItsBucket,
  pathsOfKey,
} from '../../src/core/path-key.ts';

describe('the paths of a key', () => {
  it.each([
    '',
    'a',
    'a/b',
    'a/',
    'a/b/',
    '.hidden',
    'a/.b',
    'a../b',
    '...',
    'a/.../b',
    'a b/ü',
    '..a',
    'a/..b/',
  ])('of %j are none but the key itself', (key) => {
    expect(pathsOfKey(key)).toEqual([]);
    expect(leavesItsBucket(key)).toBe(false);
  });

  it.each([
    ['a/../b', ['b']],
    ['a/b/../../c', ['c']],
    ['a/./b', ['a/b']],
    ['./a', ['a']],
    ['a//b', ['a/b']],
    ['/a', ['a']],
    ['//a///b', ['a/b']],
    ['a/.', ['a']],
    ['a/b/..', ['a']],
    ['a/b/../', ['a/']],
    ['a//', ['a/']],
    ['a\\b', ['a/b']],
    ['\\a', ['a']],
    ['a\\..\\b', ['b']],
    ['a/b\\', ['a/b/']],
    ['a/x\\y/../b', ['a/b', 'a/x/b']],
    ['a/x\\y/../../b', ['b', 'a/b']],
  ])('of %j are %j', (key, paths) => {
    expect(pathsOfKey(key)).toEqual(paths);
    expect(leavesItsBucket(key)).toBe(false);
  });
});

describe('a key leaves its bucket', () => {
  it.each([
    ...[
      '..',
      'a/..',
      '/',
      '//',
      '.',
      './',
      '../a',
      'a/../../b',
      '\\',
      '..\\a',
      'a\\..\\..\\b',
      'a\\b/../../c',
    ],
  ])('as %j', (key) => {
    expect(leavesItsBucket(key)).toBe(true);
  });
});

describe('a prefix climbs out', () => {
  it.each(['..', '../', '../a/', 'a/../../b', '..\\a', 'a\\b/../..'])('as %j', (prefix) => {
    expect(climbsOut(prefix)).toBe(true);
  });

  it.each(['', '/', './', 'a/..', 'a/../', 'a..', '..a/', 'a//', 'a\\..'])('not as %j', (prefix) => {
    expect(climbsOut(prefix)).toBe(false);
  });
});

describe('the aliases of the source of a copy', () => {
  it.each<[key: string, aliases: string[]]>([
    ['a', []],
    ['a/b c', []],
    ['100%', []],
    ['a%4', []],
    ['a%41', ['aA']],
    ['a%C3%A9', ['aé']],
    ['é%41', ['éA']],
    ['per%cent', ['per�nt']],
    ['a%2541', ['a%41']],
    ['a/', ['a']],
    ['a//', ['a']],
    ['/', []],
    ['a%41/', ['aA/', 'a%41', 'aA']],
    ['a%2F', ['a/', 'a']],
  ])('of %j are %j', (key, aliases) => {
    expect(aliasesOfSource(key)).toEqual(aliases.map((alias) => ({ key: alias })));
  });
});

describe('the aliases of what is deleted', () => {
  it('are only denied, and only with a final slash', () => {
    expect(aliasesOfDeleted('a/b')).toEqual([{ key: 'a/b/', isDenyOnly: true }]);
    expect(aliasesOfDeleted('a/b/')).toEqual([]);
  });
});

describe('the aliases of what is kept with an object', () => {
  it('are the key without its final slashes, or only denied with one', () => {
    expect(aliasesOfSubresource('a/b')).toEqual([{ key: 'a/b/', isDenyOnly: true }]);
    expect(aliasesOfSubresource('a/b/')).toEqual([{ key: 'a/b' }]);
    expect(aliasesOfSubresource('a//')).toEqual([{ key: 'a' }]);
    expect(aliasesOfSubresource('/')).toEqual([]);
  });
});
