import fc from 'fast-check';
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
  ])('of %j are only the key itself', (key) => {
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

/** The names between separators, resolved as in a path; undefined when they leave the bucket. */
function namesBetween(
  key: string,
  separator: RegExp,
): { readonly names: string[]; readonly climbs: boolean } {
  const names: string[] = [];
  let climbs = false;
  for (const segment of key.split(separator)) {
    if (segment === '..') climbs = names.pop() === undefined || climbs;
    else if (segment !== '' && segment !== '.') names.push(segment);
  }
  return { names, climbs };
}

it('reading a key in one scan gives the same as reading it segment by segment', () => {
  const pieces = fc.constantFrom('/', '/', '\\', '.', '..', 'a', 'b.', '.c', 'ü', '\ud800');
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const key = parts.join('');
      const read = [/\//, /[\\/]/].map((separator) => ({ separator, ...namesBetween(key, separator) }));
      const paths = read.map(({ names, separator }) => {
        const path = names.join('/');
        return path !== '' && separator.test(key.slice(-1)) ? `${path}/` : path;
      });
      expect(pathsOfKey(key)).toEqual([...new Set(paths)].filter((path) => path !== key));
      const climbs = read.some((one) => one.climbs);
      expect(climbsOut(key)).toBe(climbs);
      if (key !== '') expect(leavesItsBucket(key)).toBe(climbs || paths.includes(''));
    }),
    { numRuns: 2_000 },
  );
});
