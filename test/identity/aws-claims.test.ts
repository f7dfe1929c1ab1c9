import { describe, expect, it } from 'vitest';
import { readAwsClaims } from '../../src/identity/aws-claims.ts';
import { IdentityFault } from '../../src/identity/identity-fault.ts';

const tags = 'https://aws.amazon.com/tags';
const sourceIdentity = 'https://aws.amazon.com/source_identity';
const blue = { key: 'team', value: 'blue', isTransitive: false };

function reason(claims: Readonly<Record<string, unknown>>): string {
  try {
    readAwsClaims(claims);
    return 'accepted';
  } catch (error) {
    if (error instanceof IdentityFault) return error.reason;
    throw error;
  }
}

describe('session tags in a token', () => {
  it.each<[string, Record<string, unknown>, unknown]>([
    ['absent', { sub: 'a' }, []],
    ['nested, as lists', { [tags]: { principal_tags: { team: ['blue'] } } }, [blue]],
    ['nested, as texts', { [tags]: { principal_tags: { team: 'blue' } } }, [blue]],
    ['flattened', { [`${tags}/principal_tags/team`]: 'blue' }, [blue]],
    ['flattened, as lists', { [`${tags}/principal_tags/team`]: ['blue'] }, [blue]],
    ['empty', { [tags]: {} }, []],
    [
      'without transitive ones',
      { [tags]: { principal_tags: { team: 'blue' }, transitive_tag_keys: [] } },
      [blue],
    ],
    [
      'with a slash in the key',
      { [tags]: { principal_tags: { 'a/b': '' } } },
      [{ key: 'a/b', value: '', isTransitive: false }],
    ],
  ])('are read: %s', (_, claims, expected) => {
    expect(readAwsClaims(claims).tags).toEqual(expected);
  });

  it('are transitive by key, ignoring case, nested and flattened alike', () => {
    const expected = [
      { key: 'Team', value: 'blue', isTransitive: true },
      { key: 'cost', value: '7', isTransitive: false },
    ];
    expect(
      readAwsClaims({
        [tags]: { principal_tags: { Team: 'blue', cost: '7' }, transitive_tag_keys: ['team'] },
      }).tags,
    ).toEqual(expected);
    expect(
      readAwsClaims({
        [`${tags}/principal_tags/Team`]: 'blue',
        [`${tags}/principal_tags/cost`]: '7',
        [`${tags}/transitive_tag_keys`]: ['Team'],
      }).tags,
    ).toEqual(expected);
  });

  const nested = (principal: unknown, transitive?: unknown): Record<string, unknown> => ({
    [tags]: {
      principal_tags: principal,
      ...(transitive === undefined ? {} : { transitive_tag_keys: transitive }),
    },
  });
  const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v']));

  it.each<[string, Record<string, unknown>]>([
    ['a text', { [tags]: 'team=blue' }],
    ['a list', { [tags]: [] }],
    ['nothing', { [tags]: null }],
    ['with tags that are a list', nested(['team'])],
    ['with an unknown member', { [tags]: { principalTags: {} } }],
    ['under an unknown name', { [`${tags}/team`]: 'blue' }],
    ['under a name that only begins the same', { [`${tags}2`]: {} }],
    ['with two values', nested({ team: ['blue', 'red'] })],
    ['without a value', nested({ team: [] })],
    ['with a number', nested({ team: 7 })],
    ['with a value that is an object', nested({ team: { is: 'blue' } })],
    ['with an empty key', nested({ '': 'blue' })],
    ['with a key that belongs to AWS', nested({ 'aws:team': 'blue' })],
    ['with a key that belongs to AWS in capitals', nested({ 'AWS:team': 'blue' })],
    ['with a key of 129 characters', nested({ ['k'.repeat(129)]: 'blue' })],
    ['with a key of other characters', nested({ 'te*m': 'blue' })],
    ['with a value of 257 characters', nested({ team: 'v'.repeat(257) })],
    ['with a value of other characters', nested({ team: 'blue\nred' })],
    ['with keys that differ only in case', nested({ team: 'blue', Team: 'red' })],
    ['nested and flattened alike', { ...nested({ team: 'blue' }), [`${tags}/principal_tags/team`]: 'red' }],
    [
      'nested and flattened in other case',
      { ...nested({ team: 'blue' }), [`${tags}/principal_tags/TEAM`]: 'red' },
    ],
    ['with 51 of them', nested(many)],
    ['with a transitive key that is not a tag', nested({ team: 'blue' }, ['cost'])],
    ['with transitive keys alone', { [`${tags}/transitive_tag_keys`]: ['team'] }],
    ['with transitive keys that are numbers', nested({ team: 'blue' }, [1])],
    ['with transitive keys that are an object', nested({ team: 'blue' }, { team: true })],
  ])('are refused: %s', (_, claims) => {
    expect(reason(claims)).toBe('bad_claims');
  });
});

describe('a source identity in a token', () => {
  it.each([['alice'], [['alice']]])('is read: %j', (value) => {
    expect(readAwsClaims({ [sourceIdentity]: value })).toEqual({ tags: [], sourceIdentity: 'alice' });
  });

  it.each([
    [''],
    ['a'],
    ['a b'],
    ['a'.repeat(65)],
    ['aws:alice'],
    ['AWS:alice'],
    ['alice\n'],
    [7],
    [null],
    [['alice', 'bob']],
    [{ name: 'alice' }],
  ])('is refused: %j', (value) => {
    expect(reason({ [sourceIdentity]: value })).toBe('bad_claims');
  });

  it('is refused under a name that only begins the same', () => {
    expect(reason({ [`${sourceIdentity}/name`]: 'alice' })).toBe('bad_claims');
  });
});
