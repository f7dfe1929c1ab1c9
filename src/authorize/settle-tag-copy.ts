import type { ForwardedHeaders, TagCopy } from '../s3/operation.ts';
import type { DecidedPermission } from './decided-permission.ts';
import type { PermissionDecider } from './permission-decider.ts';

/** What becomes of the tags of a copy's source. */
interface SettledTagCopy {
  /** The headers to send instead; `undefined` when the copy goes as it came. */
  readonly headers: ForwardedHeaders | undefined;
  /** What was refused, also when the refusal is only recorded. */
  readonly refusal: DecidedPermission | undefined;
}

/**
 * A caller who may read and write tags, whatever they are, copies as it asked to. For every other, the tags of the source
 * are looked up, and the copy is told to set exactly those, or none: what was decided on is what is written, also when
 * the source changes meanwhile. A store that does not say what the tags are leaves them behind, unless they were demanded.
 */
export async function settleTagCopy(tagCopy: TagCopy, decider: PermissionDecider): Promise<SettledTagCopy> {
  const { reads, sets, isDemanded, withTags } = tagCopy;
  const ofAnyTags = refusalOf([reads, ...sets(undefined)].map((permission) => decider.decide(permission)));
  if (ofAnyTags?.isPermitted !== false) return { headers: undefined, refusal: ofAnyTags };
  const tags = await decider.objectTags(reads);
  if (tags === undefined && isDemanded) return { headers: undefined, refusal: ofAnyTags };
  if (tags === undefined || tags.length === 0) return { headers: withTags([]), refusal: undefined };
  const settled = await Promise.all([reads, ...sets(tags)].map((permission) => decider.settle(permission)));
  return { headers: withTags(tags), refusal: refusalOf(settled) };
}

// One that is only recorded must not hide one that counts.
function refusalOf(decided: readonly DecidedPermission[]): DecidedPermission | undefined {
  const refusals = decided.filter(({ decision }) => decision.effect === 'deny');
  return refusals.find(({ isPermitted }) => !isPermitted) ?? refusals[0];
}
