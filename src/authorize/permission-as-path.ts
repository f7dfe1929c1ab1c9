import { pathsOfKey } from '../core/path-key.ts';
import type { ConditionKey, Permission } from '../s3/operation.ts';
import type { DecidedPermission } from './decided-permission.ts';

/** A permission with the context keys of its request. */
export interface PermissionQuestion {
  readonly permission: Permission;
  readonly requestKeys: readonly ConditionKey[];
}

// Their values are keys, or begin like them. In lower case: questions of people spell them as they like.
const keyLike: ReadonlySet<string> = new Set(['s3:prefix', 's3:x-amz-copy-source']);

/**
 * The questions that a store answers which takes keys for paths, where they are others than the one that is asked. What a
 * request does must be allowed under every name.
 */
export function asPaths(
  permission: Permission,
  requestKeys: readonly ConditionKey[],
): readonly PermissionQuestion[] {
  const { object, resource } = permission;
  const names = object === undefined ? none : pathsOfKey(object.key);
  const contexts = contextsAsPaths(requestKeys);
  if (names.length === 0 && contexts.length === 0) return none;
  const permissions = [permission];
  for (const key of names) {
    if (object === undefined) continue;
    const other = resource.slice(0, resource.length - object.key.length) + key;
    permissions.push({ ...permission, resource: other, object: { ...object, key } });
  }
  return [requestKeys, ...contexts]
    .flatMap((keys) => permissions.map((one) => ({ permission: one, requestKeys: keys })))
    .slice(1);
}

const none: readonly never[] = [];

function contextsAsPaths(requestKeys: readonly ConditionKey[]): readonly (readonly ConditionKey[])[] {
  let contexts: (readonly ConditionKey[])[] | undefined;
  for (const entry of requestKeys) {
    if (!keyLike.has(entry[0].toLowerCase())) continue;
    for (const path of pathsOfKey(entry[1][0] ?? '')) {
      contexts ??= [];
      contexts.push(requestKeys.map((one) => (one === entry ? [entry[0], [path]] : one)));
    }
  }
  return contexts ?? none;
}

/** The one of two decisions that counts: a refusal before an allow, one that holds before one that is only recorded. */
export function firstRefusal(first: DecidedPermission, second: DecidedPermission): DecidedPermission {
  return !second.isPermitted || first.decision.effect === 'allow' ? second : first;
}
