import { foldCase } from '../core/fold-case.ts';
import { isMapping, type Mapping } from '../core/mapping.ts';
import type { FederatedSessionTag } from './federated-identity.ts';
import { IdentityFault } from './identity-fault.ts';
import { sessionForms } from './session-forms.ts';

/** The session tags and the source identity that a token carries. */
export interface AwsClaims {
  readonly tags: readonly FederatedSessionTag[];
  readonly sourceIdentity: string | undefined;
}

const tagsClaim = 'https://aws.amazon.com/tags';
const sourceIdentityClaim = 'https://aws.amazon.com/source_identity';
const principalTags = 'principal_tags';
const transitiveTagKeys = 'transitive_tag_keys';

const { maxTags, tagKey, tagValue, sourceIdentity: sourceIdentityForm } = sessionForms;

/** True for claims about session tags and the source identity. They are not condition keys. */
export function isAwsClaim(name: string): boolean {
  return name.startsWith(tagsClaim) || name.startsWith(sourceIdentityClaim);
}

/**
 * Reads the session tags and the source identity of a token (IAM user guide, "Passing session tags using
 * AssumeRoleWithWebIdentity"). The claim `https://aws.amazon.com/tags` may be an object, or flattened into several claims.
 * Anything that cannot be applied is refused: without it, the session would get past a policy that denies by it.
 * @throws IdentityFault `bad_claims`
 */
export function readAwsClaims(claims: Mapping): AwsClaims {
  const found = Object.entries(claims).filter(([name]) => isAwsClaim(name));
  if (found.length === 0) return { tags: [], sourceIdentity: undefined };
  const tagParts = new Map<string, unknown>();
  let sourceIdentity: string | undefined;
  for (const [name, value] of found) {
    if (name === sourceIdentityClaim) sourceIdentity = readSourceIdentity(value);
    else for (const [part, partValue] of tagPartsOf(name, value)) add(tagParts, part, partValue);
  }
  return { tags: readTags(tagParts), sourceIdentity };
}

/** The members of a tag claim, under the names they have in the flattened form, without the common prefix. */
function tagPartsOf(name: string, value: unknown): readonly (readonly [string, unknown])[] {
  if (name !== tagsClaim) {
    if (!name.startsWith(`${tagsClaim}/`)) throw malformed('has an unknown name');
    return [[name.slice(tagsClaim.length + 1), value]];
  }
  if (!isMapping(value)) throw malformed('must be an object');
  return Object.entries(value).flatMap(([member, memberValue]) => {
    if (member !== principalTags) return [[member, memberValue] as const];
    if (!isMapping(memberValue)) throw malformed(`${principalTags} must be an object`);
    return Object.entries(memberValue).map(([key, tag]) => [`${principalTags}/${key}`, tag] as const);
  });
}

function add(parts: Map<string, unknown>, name: string, value: unknown): void {
  if (parts.has(name)) throw malformed('says the same thing twice');
  parts.set(name, value);
}

function readTags(parts: ReadonlyMap<string, unknown>): readonly FederatedSessionTag[] {
  const transitive = readTransitiveKeys(parts.get(transitiveTagKeys));
  const tags: FederatedSessionTag[] = [];
  const seen = new Set<string>();
  for (const [part, value] of parts) {
    if (part === transitiveTagKeys) continue;
    if (!part.startsWith(`${principalTags}/`)) throw malformed('has an unknown member');
    const key = part.slice(principalTags.length + 1);
    const text = oneText(value);
    if (!tagKey.test(key)) throw malformed('has a tag key that cannot be one');
    if (text === undefined || !tagValue.test(text)) throw malformed('has a tag value that cannot be one');
    if (seen.has(foldCase(key))) throw malformed('has tag keys that differ only in case');
    seen.add(foldCase(key));
    tags.push({ key, value: text, isTransitive: transitive.has(foldCase(key)) });
  }
  if (tags.length > maxTags) throw malformed(`has more than ${maxTags} tags`);
  if ([...transitive].some((key) => !seen.has(key))) throw malformed('names a transitive key without a tag');
  return tags;
}

/** In lower case, because tag keys are compared without case. */
function readTransitiveKeys(value: unknown): ReadonlySet<string> {
  if (value === undefined) return new Set();
  const keys: readonly unknown[] = Array.isArray(value) ? value : [value];
  return new Set(
    keys.map((key) => {
      if (typeof key !== 'string') throw malformed(`${transitiveTagKeys} must be a list of texts`);
      return foldCase(key);
    }),
  );
}

function readSourceIdentity(value: unknown): string {
  const text = oneText(value);
  if (text !== undefined && sourceIdentityForm.test(text)) return text;
  throw new IdentityFault('bad_claims', `The claim ${sourceIdentityClaim} must be a source identity`);
}

/** A text, or a list with one text: providers write attributes as lists when they could have several values. */
function oneText(value: unknown): string | undefined {
  const only: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  return typeof only === 'string' ? only : undefined;
}

function malformed(what: string): IdentityFault {
  return new IdentityFault('bad_claims', `The claim ${tagsClaim} ${what}`);
}
