import { foldCase } from '../core/fold-case.ts';
import type { ContextEntry } from '../iam/key-table.ts';
import type { SessionTag } from '../tokens/session-claims.ts';
import { stsError } from './errors.ts';

/**
 * Reads the session tags of a request (AWS STS API Reference, AssumeRole, Tags and TransitiveTagKeys).
 * @throws ServiceError InvalidParameterValue for a key that is repeated, in any case, a key reserved for AWS, or a transitive
 * key without a tag
 */
export function readSessionTags(
  members: readonly ReadonlyMap<string, string>[],
  transitiveMembers: readonly ReadonlyMap<string, string>[] = [],
): readonly SessionTag[] {
  const transitive = new Set(transitiveMembers.map((member) => foldCase(member.get('') ?? '')));
  const tags = members.map((member): SessionTag => {
    const key = member.get('Key') ?? '';
    return { key, value: member.get('Value') ?? '', isTransitive: transitive.has(foldCase(key)) };
  });
  checkSessionTags(tags);
  const keys = new Set(tags.map(({ key }) => foldCase(key)));
  const unknown = transitiveMembers.find((member) => !keys.has(foldCase(member.get('') ?? '')));
  if (unknown !== undefined) {
    throw invalidValue(`The transitive tag key ${shown(unknown.get(''))} must be among the session tags.`);
  }
  return tags;
}

/**
 * Refuses repeated keys, compared without case, and keys that are reserved for AWS.
 * @throws ServiceError InvalidParameterValue
 */
function checkSessionTags(tags: readonly SessionTag[]): void {
  const seen = new Set<string>();
  for (const { key } of tags) {
    const folded = foldCase(key);
    if (seen.has(folded)) {
      throw invalidValue(
        `Duplicate tag keys found: ${shown(key)}. Please note that Tag keys are case insensitive.`,
      );
    }
    if (folded.startsWith('aws:')) throw invalidValue(`The tag key ${shown(key)} must not start with aws:.`);
    seen.add(folded);
  }
}

/**
 * Most tags of a session, with those that it inherits. Each decision about the session has all of them as context keys: of one that
 * was chained twenty times, 370 calls at once ended the process.
 */
const maxTags = 200;

/**
 * The tags of a chained session: the inherited transitive ones, and those of the request (IAM user guide, "Chaining roles with
 * session tags").
 * @throws ServiceError InvalidParameterValue for a tag that would replace an inherited one, PackedPolicyTooLarge for too many
 */
export function withInherited(
  tags: readonly SessionTag[],
  inheritable: readonly SessionTag[],
): readonly SessionTag[] {
  const inherited = inheritable.filter(({ isTransitive }) => isTransitive);
  if (inherited.length === 0) return tags;
  const names = new Set(inherited.map(({ key }) => foldCase(key)));
  const overriding = tags.find(({ key }) => names.has(foldCase(key)));
  if (overriding !== undefined) {
    throw invalidValue(
      `The tag ${shown(overriding.key)} is inherited from the calling session and cannot be set.`,
    );
  }
  const count = inherited.length + tags.length;
  if (count > maxTags) {
    const counts = `${count} session tags, ${inherited.length} of them inherited`;
    throw stsError('PackedPolicyTooLarge', `The session would have ${counts}; ${maxTags} are allowed.`);
  }
  return [...inherited, ...tags];
}

/** The condition keys of the requested tags. */
export function requestTagKeys(tags: readonly SessionTag[]): ContextEntry[] {
  if (tags.length === 0) return [];
  const transitive = tags.filter(({ isTransitive }) => isTransitive).map(({ key }) => key);
  return [
    ...tags.map(({ key, value }): ContextEntry => [`aws:RequestTag/${key}`, value]),
    ['aws:TagKeys', tags.map(({ key }) => key)],
    ...(transitive.length === 0 ? [] : [['sts:TransitiveTagKeys', transitive] as const]),
  ];
}

function shown(key: string | undefined): string {
  return `'${(key ?? '').slice(0, 128)}'`;
}

function invalidValue(message: string): Error {
  return stsError('InvalidParameterValue', message);
}
