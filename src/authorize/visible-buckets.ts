import type { MaybePromise } from '../core/maybe-promise.ts';
import type { BucketFilter } from '../s3/operation.ts';
import type { AccessDecision } from './decide.ts';
import type { PermissionDecider } from './permission-decider.ts';

/**
 * The buckets of a list that the caller may see; a decision that failed instead, because without that bucket the list would look
 * complete.
 * @throws what the signal was aborted with
 */
export function visibleBuckets(
  names: readonly string[],
  { permissionOn }: BucketFilter,
  decider: PermissionDecider,
  signal: AbortSignal,
): MaybePromise<ReadonlySet<string> | AccessDecision> {
  return decider.holding(async () => {
    const visible = new Set<string>();
    for (const name of names) {
      signal.throwIfAborted();
      const { decision, isPermitted } = await decider.decideListed(permissionOn(name));
      if (decision.fault !== undefined) return decision;
      if (isPermitted) visible.add(name);
    }
    return visible;
  });
}
