import { describe, expect, it } from 'vitest';
import { climbsOut, leavesItsBucket, pathsOfKey } from '../../src/core/path-key.ts';

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
