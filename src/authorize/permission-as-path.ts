import { pathOfKey } from '../core/path-key.ts';
import type { Permission } from '../s3/operation.ts';
import type { DecidedPermission } from './decided-permission.ts';

/**
 * The permission on the object that a store would find which takes keys for paths; `undefined` where that is the same
 * one. What a request does must be allowed under both names.
 */
export function asPath(permission: Permission): Permission | undefined {
  const { object, resource } = permission;
  const key = object && pathOfKey(object.key);
  if (object === undefined || key === undefined) return undefined;
  return {
    ...permission,
    resource: resource.slice(0, resource.length - object.key.length) + key,
    object: { ...object, key },
  };
}

/** The one of two decisions that counts: a refusal before an allow, one that holds before one that is only recorded. */
export function firstRefusal(first: DecidedPermission, second: DecidedPermission): DecidedPermission {
  return !second.isPermitted || first.decision.effect === 'allow' ? second : first;
}
