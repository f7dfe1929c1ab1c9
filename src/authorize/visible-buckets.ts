import type { BucketFilter } from '../s3/operation.ts';
import type { AccessDecision } from './decide.ts';
import type { PermissionDecider } from './permission-decider.ts';

/**
 * The buckets of a list that the caller may see; a decision that failed instead, because without that bucket the list would look
 * complete.
 * @throws what the signal was aborted with
 */
export async function visibleBuckets(
  names: readonly string[],
  { permissionOn }: BucketFilter,
  decider: PermissionDecider,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | AccessDecision> {
  const visible = new Set<string>();
  await decider.hold();
  try {
    for (const name of names) {
      signal.throwIfAborted();
      const { decision, isPermitted } = await decider.decideListed(permissionOn(name));
      if (decision.fault !== undefined) return decision;
      if (isPermitted) visible.add(name);
    }
  } finally {
    decider.release();
  }
  return visible;
}
