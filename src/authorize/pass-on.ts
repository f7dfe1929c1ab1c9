import type { ForStore } from '../authenticate/for-store.ts';
import { alwaysThere, type WaitingClient } from '../core/client-gone.ts';
import type { ConditionKey, Permission, S3Request } from '../s3/operation.ts';
import type { DecidedPermission } from './decided-permission.ts';
import { type Denied, deniedRequest } from './denied.ts';
import { type AuthorizationSources, PermissionDecider } from './permission-decider.ts';
import { settleAll } from './settle-all.ts';
import { settleBatch } from './settle-batch.ts';

class PassedOnRequest {
  readonly isAllowed = true;
  // A private field makes the type nominal: no object literal and no other class can stand in for it.
  readonly #request: S3Request;
  readonly #hidden: ReadonlySet<Permission>;
  readonly payload: ForStore['payload'];
  /** The request as it arrived, with the parameters of its signature: what reaches the store. */
  readonly arrived: ForStore['arrived'];
  /** The store's answer concerns the client's own credentials, or that it has none. */
  readonly isPassedOn = true;
  readonly writeResult = undefined;

  constructor(request: S3Request, { payload, arrived }: ForStore, hidden: ReadonlySet<Permission>) {
    this.#request = request;
    this.payload = payload;
    this.arrived = arrived;
    this.#hidden = hidden;
  }

  /** The request as it was classified. `arrived` is what reaches the store. */
  get request(): S3Request {
    return this.#request;
  }

  /** The body of a document operation, as it came. */
  get document(): Buffer | undefined {
    return this.#request.document;
  }

  /** Everything has been decided. */
  decide(): undefined {
    return undefined;
  }

  /** False for what the sidecar's bucket policies deny everyone. */
  permits(permission: Permission): boolean {
    return !this.#hidden.has(permission);
  }
}

/**
 * Proof that no bucket policy of the sidecar denies everyone a request that the store authenticates. It says nothing about what the
 * store allows, so such a request must never be signed with the sidecar's key. The class is not exported: only this file makes one.
 */
export type PassedOn = PassedOnRequest;

/**
 * Decides whether a request may be left to the store. Only a Deny that applies to anonymous callers refuses it, or a decision that
 * cannot be made. A batch is refused as a whole, because its document is not written anew.
 * @returns `uncertain copy` for one that no Deny refuses, and that must not be sent either
 * @throws ClientGoneError, and when the store cannot be asked for tags that a Deny depends on.
 */
export async function passOn(
  request: S3Request,
  left: ForStore,
  sources: AuthorizationSources,
  client: WaitingClient = alwaysThere,
): Promise<PassedOn | Denied | 'uncertain copy'> {
  if (request.raw !== left.raw) throw new Error('deciding another request than was left to the store');
  const decider = new PermissionDecider(request, left, sources, client);
  return decider.holding(async () => {
    const { conditionKeys } = request;
    const unconditional = conditionKeys.filter(([name]) => !conditions.has(name));
    const isConditional = unconditional.length < conditionKeys.length;
    for (const keys of isConditional ? [conditionKeys, unconditional] : [conditionKeys]) {
      const decided = await settleEverything(request, decider, keys);
      if (!decided.isPermitted)
        return deniedRequest(decided, left.caller, decider.contextOf(decided.permission));
    }
    if (isUncertainCopy(request, sources)) return 'uncertain copy';
    return new PassedOnRequest(request, left, await hiddenPermissions(request, decider));
  });
}

/**
 * True for a copy where a bucket policy applies: versitygw 1.8 copies deleted objects, Ceph RGW 16 keeps tags that the request replaces
 * (2026-11-30), and a Deny may concern either.
 */
function isUncertainCopy(
  { copySource, permissions }: S3Request,
  { policies }: AuthorizationSources,
): boolean {
  const hasPolicy = ({ resource }: Permission): boolean =>
    policies.withBucketPolicy({ identity: [] }, resource).resource !== undefined;
  return copySource !== undefined && permissions.some(hasPolicy);
}

/**
 * What is denied without them is denied with them: the store may ignore them, as Ceph RGW 16 does in a bucket with versioning
 * (2026-11-30), and cannot be asked beforehand.
 */
const conditions: ReadonlySet<string> = new Set(['s3:if-match', 's3:if-none-match']);

async function settleEverything(
  request: S3Request,
  decider: PermissionDecider,
  requestKeys: readonly ConditionKey[],
): Promise<DecidedPermission> {
  const { batch, permissions } = request;
  if (batch !== undefined) {
    const settled = await settleBatch(batch.items, (permission, keys) => decider.settle(permission, keys));
    return settled.decided;
  }
  return settleAll(permissions, (permission) => decider.settle(permission, requestKeys));
}

/** The permissions behind response headers that are denied. */
async function hiddenPermissions(
  { guardedHeaders }: S3Request,
  decider: PermissionDecider,
): Promise<ReadonlySet<Permission>> {
  const hidden = new Set<Permission>();
  for (const [, permission] of guardedHeaders) {
    const { isPermitted } = await decider.settle(permission);
    if (!isPermitted) hidden.add(permission);
  }
  return hidden;
}
