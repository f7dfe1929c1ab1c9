import { describe, expect, it } from 'vitest';
import { RequestContext } from '../../src/iam/request-context.ts';
import { IdentityFault } from '../../src/identity/identity-fault.ts';
import {
  hasTooManyClaims,
  shareOfClaims,
  textualClaims,
  withoutMixedLists,
} from '../../src/identity/textual-claims.ts';
import { claimKeys } from '../../src/sts/federated-keys.ts';

const numbered = (count: number, name = 'c'): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${name}${at}`, '']));

/** That many claims with names of 1,024 characters. */
const long = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`c${at}`.padEnd(1_024, '-'), 'x']));

function verdict(claims: Record<string, unknown>): string {
  try {
    textualClaims(claims);
    return 'accepted';
  } catch (error) {
    if (error instanceof IdentityFault) return error.reason;
    throw error;
  }
}

describe('the claims of a token', () => {
  it.each<[string, Record<string, unknown>]>([
    [
      '200 roles in a list',
      { realm_access: { roles: Array.from({ length: 200 }, (_, at) => `role-${at}`) } },
    ],
    [
      'roles of 200 applications',
      {
        resource_access: Object.fromEntries(
          Array.from({ length: 200 }, (_, at) => [
            `https://application-${at}.example.com/`,
            { roles: ['user'] },
          ]),
        ),
      },
    ],
    [
      'groups that stand elsewhere',
      { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'x' } } },
    ],
    ['1,000 claims', numbered(1_000)],
    ['a name of 1,024 characters', { ['c'.repeat(1_024)]: 'x' }],
    ['paths of 65,536 characters', long(64)],
  ])('may be %s', (_, claims) => {
    expect(verdict(claims)).toBe('accepted');
  });

  it.each<[string, Record<string, unknown>]>([
    ['1,001 claims', numbered(1_001)],
    ['26,000 claims', numbered(26_000)],
    [
      '1,001 claims that are not texts',
      Object.fromEntries(Array.from({ length: 1_001 }, (_, at) => [`c${at}`, at])),
    ],
    ['1,001 empty objects', Object.fromEntries(Array.from({ length: 1_001 }, (_, at) => [`c${at}`, {}]))],
    ['a name of 1,025 characters', { ['c'.repeat(1_025)]: 'x' }],
    ['a path of 1,025 characters', { ['c'.repeat(512)]: { ['c'.repeat(512)]: 'x' } }],
    ['paths of 66,560 characters', long(65)],
    ['66 paths behind a prefix of 996 characters', { ['c'.repeat(996)]: numbered(66) }],
    ['an object of a long name with thousands of members', { ['p'.repeat(131_072)]: numbered(13_000) }],
  ])('may not be %s', (_, claims) => {
    expect(verdict(claims)).toBe('bad_claims');
  });

  it('are not read beyond the thousandth', () => {
    const opened: string[] = [];
    const watched = (name: string): object =>
      new Proxy(numbered(9), {
        ownKeys: (target) => {
          opened.push(name);
          return Reflect.ownKeys(target);
        },
      });
    const objects = Array.from({ length: 200 }, (_, at) => [`o${at}`, watched(`o${at}`)] as const);
    expect(hasTooManyClaims(Object.fromEntries(objects))).toBe(true);
    expect(opened).toHaveLength(100);
  });

  it('that are equal behind the prefix of the issuer are refused, never a fault of the table', () => {
    const spellings = ['\u03a3', '\u03c3', '\u03c2', 'a\u03a3', 'a\u03c2', '\u03a3\u03a3', '\u03c3\u03c2'];
    for (const one of spellings) {
      for (const other of spellings) {
        const claims = { [one]: 'a', [other]: 'b' };
        if (verdict(claims) !== 'accepted') continue;
        const keys = claimKeys({ issuer: 'https://login.example.com', claims: textualClaims(claims) });
        expect(() => new RequestContext(keys)).not.toThrow();
      }
    }
    expect(verdict({ '\u03a3': 'a', '\u03c2': 'b' })).toBe('bad_claims');
  });
});

describe('the share of a turn that claims take', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a usual token', { iss: 'https://login.example.com', sub: 'a', aud: ['x'], groups: ['a', 'b'] }],
    ['a hundred claims', numbered(100)],
    ['a long value', { text: 'x'.repeat(15_000) }],
    ['many values', { groups: Array.from({ length: 2_000 }, (_, at) => `group-${at}`) }],
  ])('is nothing for %s', (_, claims) => {
    expect(shareOfClaims(claims)).toBe(0);
  });

  it.each<[string, Record<string, unknown>, number]>([
    ['claims in an object of a long name', { ['p'.repeat(380)]: numbered(155) }, 0.5],
    ['many claims', numbered(900), 0.4],
    ['as many claims as are allowed, with the longest paths', { ['p'.repeat(60)]: numbered(999, '') }, 0.9],
  ])('grows with their number and their paths: %s', (_, claims, least) => {
    expect(verdict(claims)).toBe('accepted');
    expect(shareOfClaims(claims)).toBeGreaterThan(least);
    expect(shareOfClaims(claims)).toBeLessThanOrEqual(1);
  });

  it('is a whole turn at most, also for claims that will be refused', () => {
    expect(shareOfClaims({ ['p'.repeat(1_024)]: numbered(3_000) })).toBe(1);
  });
});

describe('what waits for its turn', () => {
  it('has no list of anything but texts, at any depth, and describes the same claims', () => {
    const claims = {
      groups: ['a', 'b'],
      objects: [{}, {}],
      mixed: ['a', 1],
      none: [],
      team: { lead: 'x', years: [1, 2], names: ['y'] },
      count: 3,
    };
    const kept = withoutMixedLists(claims);
    expect(kept).toEqual({
      groups: ['a', 'b'],
      none: [],
      team: { lead: 'x', names: ['y'] },
      count: 3,
    });
    expect(textualClaims(kept)).toEqual(textualClaims(claims));
  });
});
