import type { MaybePromise } from '../core/maybe-promise.ts';
import type { ConditionKey, ForwardedHeaders, Permission, S3Request, TagCopy } from '../s3/operation.ts';
import type { DecidedPermission } from './decided-permission.ts';
import type { PermissionDecider } from './permission-decider.ts';

/** What becomes of the tags of a copy's source. */
interface SettledTagCopy {
  /** The headers to send instead; `undefined` when the copy goes as it came. */
  readonly headers: ForwardedHeaders | undefined;
  /** The refused permission, also when audit mode only records the refusal. */
  readonly refusal: DecidedPermission | undefined;
}

type Decide = (
  permission: Permission,
  requestKeys: readonly ConditionKey[],
) => MaybePromise<DecidedPermission>;

/**
 * A caller who may read and write any tags copies as it asked to. For other callers the tags of the source are looked up, and
 * the copy is told to set exactly those, or none: the tags that were decided on are written even if the source changes
 * meanwhile. Where the store does not tell the tags, they are left behind, unless the caller asked for them.
 *
 * A copy that replaces the tags is not changed, but must be allowed with the tags of the source too, because Ceph RGW 16
 * keeps those.
 */
export async function settleTagCopy(
  tagCopy: TagCopy,
  { conditionKeys }: S3Request,
  decider: PermissionDecider,
): Promise<SettledTagCopy> {
  const { reads, sets, directive, withTags } = tagCopy;
  const keys = conditionKeys.filter(([key]) => !key.startsWith('s3:RequestObjectTag'));
  const decide: Decide = (permission, requestKeys) => decider.decideWithPauses(permission, requestKeys);
  const ofAnyTags = await refusalOf([reads, ...sets(undefined)], keys, decide);
  if (ofAnyTags?.isPermitted !== false) return { headers: undefined, refusal: ofAnyTags };
  const tags = await decider.objectTags(reads);
  const headersWith = (written: typeof tags): ForwardedHeaders | undefined =>
    directive === 'REPLACE' ? undefined : withTags(written ?? []);
  if (tags === undefined) {
    return { headers: headersWith(tags), refusal: directive === 'COPY' ? ofAnyTags : undefined };
  }
  if (tags.length === 0 && directive !== 'REPLACE') return { headers: headersWith(tags), refusal: undefined };
  const needed = tags.length === 0 ? sets(tags) : [reads, ...sets(tags)];
  const settle: Decide = (permission, requestKeys) => decider.settle(permission, requestKeys);
  return { headers: headersWith(tags), refusal: await refusalOf(needed, keys, settle) };
}

// The first that counts; without one, the first that is only recorded.
async function refusalOf(
  permissions: readonly Permission[],
  requestKeys: readonly ConditionKey[],
  decide: Decide,
): Promise<DecidedPermission | undefined> {
  let recorded: DecidedPermission | undefined;
  for (const permission of permissions) {
    const decided = await decide(permission, requestKeys);
    if (!decided.isPermitted) return decided;
    if (decided.decision.effect === 'deny') recorded ??= decided;
  }
  return recorded;
}
