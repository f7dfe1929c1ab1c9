import { describe, expect, it } from 'vitest';
import { pathOfKey } from '../../src/core/path-key.ts';

describe('the path of a key', () => {
  it.each([
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
    'a\\b',
    '..a',
    'a/..b/',
  ])('of %j is the key itself', (key) => {
    expect(pathOfKey(key)).toBeUndefined();
  });

  it.each([
    ['a/../b', 'b'],
    ['a/b/../../c', 'c'],
    ['a/./b', 'a/b'],
    ['./a', 'a'],
    ['a//b', 'a/b'],
    ['/a', 'a'],
    ['//a///b', 'a/b'],
    ['a/.', 'a'],
    ['a/b/..', 'a'],
    ['a/b/../', 'a/'],
    ['a//', 'a/'],
    ['../a', 'a'],
    ['..', ''],
    ['a/..', ''],
    ['/', ''],
    ['//', ''],
    ['.', ''],
    ['./', ''],
  ])('of %j is %j', (key, path) => {
    expect(pathOfKey(key)).toBe(path);
  });
});
