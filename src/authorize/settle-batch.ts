import type { MaybePromise } from '../core/maybe-promise.ts';
import type { Batch, ConditionKey, Permission } from '../s3/operation.ts';
import type { DecidedPermission } from './decided-permission.ts';

type BatchItem = Batch['items'][number];
type Settle = (
  permission: Permission,
  requestKeys: readonly ConditionKey[],
) => MaybePromise<DecidedPermission>;

/** Most items decided concurrently: a batch must not send a thousand look-ups to the store at once. */
const maxAtOnce = 16;

/** A result with more items is written in a turn of its own: a thousand long keys take tens of milliseconds. */
export const longBatch = 100;

/** The result of deciding a batch. */
interface SettledBatch {
  /** The decision to report for the whole. */
  readonly decided: DecidedPermission;
  /** Indexes of the items to forward. */
  readonly allowed: readonly number[];
  readonly deniedItems: readonly number[];
}

/**
 * Decides the items of a batch, each by the first of its permissions that is denied. The result must not hold all decisions,
 * because it lives until the client has read the answer.
 */
export async function settleBatch(items: readonly BatchItem[], settle: Settle): Promise<SettledBatch> {
  const decisions = await decideItems(items, settle);
  const indexes = [...decisions.keys()];
  const deniedItems = indexes.filter((index) => decisions[index]?.isPermitted !== true);
  const allowed = indexes.filter((index) => decisions[index]?.isPermitted === true);
  return { decided: tellingDecision(decisions), allowed, deniedItems };
}

/** In the order of the items. */
async function decideItems(items: readonly BatchItem[], settle: Settle): Promise<DecidedPermission[]> {
  const decisions: DecidedPermission[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) {
      const index = next;
      next += 1;
      const item = items[index];
      if (item !== undefined) decisions[index] = await settleItem(item, settle).catch(giveUp);
    }
  };
  // If the store does not answer, the batch fails: the other workers must stop asking it.
  const giveUp = (error: unknown): never => {
    next = items.length;
    throw error;
  };
  await Promise.all(Array.from({ length: Math.min(maxAtOnce, items.length) }, work));
  return decisions;
}

/** The decision that stands for the batch in the log: a fault before a refusal, a refusal before one that is only recorded. */
function tellingDecision(decisions: readonly DecidedPermission[]): DecidedPermission {
  const decided =
    decisions.find(({ decision }) => decision.fault !== undefined) ??
    decisions.find(({ isPermitted }) => !isPermitted) ??
    decisions.find(({ decision }) => decision.effect === 'deny') ??
    decisions[0];
  if (decided === undefined) throw new Error('a batch without items');
  return decided;
}

async function settleItem(
  { permissions, conditionKeys }: BatchItem,
  settle: Settle,
): Promise<DecidedPermission> {
  let decided: DecidedPermission | undefined;
  for (const permission of permissions) {
    decided = await settle(permission, conditionKeys);
    if (!decided.isPermitted) return decided;
  }
  if (decided === undefined) throw new Error('an item without permissions');
  return decided;
}
