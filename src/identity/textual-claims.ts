import { foldCase } from '../core/fold-case.ts';
import { isMapping, type Mapping } from '../core/mapping.ts';
import { isAwsClaim } from './aws-claims.ts';
import { IdentityFault } from './identity-fault.ts';

/** Most members of the claims, at every depth together. A list counts once, however many texts it has. */
const maxMembers = 1_000;

/** Longest path of a claim, in characters. */
const maxPathLength = 1_024;

/** Most characters of all paths together: each repeats the names of the objects that it is in. */
const maxPathCharacters = 65_536;

/**
 * The claims that conditions can use: texts, booleans as texts, and lists of texts. Names of nested objects are joined by `/`
 * (`kubernetes.io/serviceaccount/name`). Numbers, mixed lists, session tags and the source identity are left out.
 * @throws IdentityFault `bad_claims` when there are too many, or two names differ only in case, because conditions do not
 * distinguish them
 */
export function textualClaims(claims: Mapping): ReadonlyMap<string, readonly string[]> {
  const described = Object.fromEntries(Object.entries(claims).filter(([name]) => !isAwsClaim(name)));
  if (hasTooManyClaims(described)) {
    throw new IdentityFault('bad_claims', 'The token has too many claims, or their names are too long');
  }
  const texts = new Map<string, readonly string[]>();
  const seen = new Set<string>();
  const visit = (object: Mapping, prefix: string, foldedPrefix: string): void => {
    for (const [name, value] of Object.entries(object)) {
      const path = prefix + name;
      // As the condition keys made from them are compared. A prefix is folded once, not with every name in it.
      const folded = foldedPrefix + foldCase(name);
      if (isMapping(value)) {
        visit(value, `${path}/`, `${folded}/`);
        continue;
      }
      const values = toTexts(value);
      if (values === undefined) continue;
      if (seen.has(folded)) {
        throw new IdentityFault('bad_claims', 'Claims of the token have names that differ only in case');
      }
      seen.add(folded);
      texts.set(path, values);
    }
  };
  // INVARIANT: the JSON parser has limited the depth.
  visit(described, '', '');
  return texts;
}

/** True when the claims are too many or their paths too long. Builds no path, so it costs no more than reading the names. */
export function hasTooManyClaims(claims: Mapping): boolean {
  let members = 0;
  let characters = 0;
  const isTooMuch = (object: Mapping, prefixLength: number): boolean =>
    Object.entries(object).some(([name, value]) => {
      const length = prefixLength + name.length;
      members += 1;
      characters += length;
      if (members > maxMembers || length > maxPathLength || characters > maxPathCharacters) return true;
      return isMapping(value) && isTooMuch(value, length + 1);
    });
  return isTooMuch(claims, 0);
}

/** What a member costs besides its path, in characters of paths. */
const memberCharacters = 64;

/** The most that claims can weigh without being refused, and the weight of what is judged in one turn, all together. */
const weightPerTurn = maxPathCharacters + memberCharacters * maxMembers;

/** Claims up to this weight cost no more than the rest of their request: a hundred members, more than usual tokens have. */
const usualWeight = 8_192;

/**
 * The share of a turn of the event loop that it takes to describe claims and to decide by them; 0 for what costs no more than the
 * rest of its request. Builds no path.
 */
export function shareOfClaims(claims: Mapping): number {
  let weight = 0;
  const weigh = (object: Mapping, prefixLength: number): void => {
    for (const [name, value] of Object.entries(object)) {
      weight += prefixLength + name.length + memberCharacters;
      if (isMapping(value)) weigh(value, prefixLength + name.length + 1);
    }
  };
  weigh(claims, 0);
  return weight > usualWeight ? Math.min(weight / weightPerTurn, 1) : 0;
}

/** Leaves out lists of anything but texts, at every depth: {@link textualClaims} does too, and one of 80,000 empty objects takes megabytes. */
export function withoutMixedLists(claims: Mapping): Mapping {
  return Object.fromEntries(
    Object.entries(claims).flatMap(([name, value]): readonly (readonly [string, unknown])[] => {
      if (isMapping(value)) return [[name, withoutMixedLists(value)]];
      return Array.isArray(value) && toTexts(value) === undefined ? [] : [[name, value]];
    }),
  );
}

function toTexts(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return [value];
  if (typeof value === 'boolean') return [String(value)];
  if (!Array.isArray(value)) return undefined;
  return value.every((item) => typeof item === 'string') ? value : undefined;
}
