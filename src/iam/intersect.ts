import type { Pending, SetResult } from './evaluate.ts';

/** The result of several layers, with the one that denies or does not allow, from 1; `undefined` when all of them allow. */
export type LayeredResult = SetResult & { readonly layer?: number | undefined };

/**
 * Combines the results of the scope-down layers of a session, each of which has to allow. A Deny of any layer denies. Otherwise
 * the first layer that does not allow is the reason. No layers at all allow nothing, as any set without policies.
 */
export function intersect(layers: readonly SetResult[]): LayeredResult {
  const denying = layers.findIndex(({ effect }) => effect === 'deny');
  const denied = layers[denying];
  if (denied !== undefined) return { ...denied, layer: denying + 1 };
  const pending = pendingOf(layers);
  const silent = layers.findIndex(({ effect }) => effect === 'none');
  const last = layers.at(-1);
  if (silent >= 0 || last?.effect !== 'allow')
    return { effect: 'none', pending, layer: Math.max(silent, 0) + 1 };
  return { ...last, pending };
}

/** What a look-up could add. The Allow of one layer matters only when every layer allows, or may allow. */
function pendingOf(layers: readonly SetResult[]): Pending | undefined {
  const denyKeys = layers.flatMap(({ pending }) => pending?.denyKeys ?? []);
  const waiting = layers
    .filter(({ effect }) => effect === 'none')
    .map(({ pending }) => pending?.allowKeys ?? []);
  const allowKeys = waiting.every((keys) => keys.length > 0) ? waiting.flat() : [];
  return denyKeys.length + allowKeys.length === 0
    ? undefined
    : { denyKeys, allowKeys, allowLevel: undefined };
}
