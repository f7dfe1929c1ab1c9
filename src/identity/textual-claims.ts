import { isAwsClaim } from './aws-claims.ts';
import { IdentityFault } from './identity-fault.ts';
import { isJsonObject, type JsonObject } from './unverified-token.ts';

/**
 * The claims that conditions can use: texts, booleans as texts, and lists of texts. Names of nested objects are joined by `/`
 * (`kubernetes.io/serviceaccount/name`). Numbers, mixed lists, session tags and the source identity are left out.
 * @throws IdentityFault when two names differ only in case, because conditions do not distinguish them
 */
export function textualClaims(claims: JsonObject): ReadonlyMap<string, readonly string[]> {
  const texts = new Map<string, readonly string[]>();
  const seen = new Set<string>();
  const visit = (object: JsonObject, prefix: string): void => {
    for (const [name, value] of Object.entries(object)) {
      const path = prefix + name;
      if (isJsonObject(value)) {
        visit(value, `${path}/`);
        continue;
      }
      const values = toTexts(value);
      if (values === undefined) continue;
      if (seen.has(path.toLowerCase())) {
        throw new IdentityFault('bad_claims', 'Claims of the token have names that differ only in case');
      }
      seen.add(path.toLowerCase());
      texts.set(path, values);
    }
  };
  // INVARIANT: the JSON parser has limited the depth.
  visit(Object.fromEntries(Object.entries(claims).filter(([name]) => !isAwsClaim(name))), '');
  return texts;
}

function toTexts(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return [value];
  if (typeof value === 'boolean') return [String(value)];
  if (!Array.isArray(value)) return undefined;
  return value.every((item) => typeof item === 'string') ? value : undefined;
}
