import { type MaybePromise, whenReady } from '../core/maybe-promise.ts';
import { pathsOfKey } from '../core/path-key.ts';
import type { Permission, S3Request } from '../s3/operation.ts';
import type { PermissionDecider } from './permission-decider.ts';

/**
 * The permissions that only the answer of the store turns out to need. Each is decided once: most when the answer has come,
 * without look-ups, and those that would need a look-up, or are asked about earlier, before the request is sent.
 */
export class AnswerPermissions {
  readonly #request: S3Request;
  readonly #decider: PermissionDecider;
  readonly #decided = new Map<Permission, boolean>();

  constructor(request: S3Request, decider: PermissionDecider) {
    this.#request = request;
    this.#decider = decider;
  }

  /** The permissions to decide before the request is sent: all or none. */
  get early(): readonly Permission[] {
    const { guardedHeaders, seesMissing, key } = this.#request;
    const first = guardedHeaders[0]?.[1] ?? seesMissing[0];
    if (first === undefined) return none;
    // Odd keys have many names, and tags may be looked up for every name. But for copies, all are about one bucket.
    const isEarly = this.#isAskedAbout() || pathsOfKey(key).length > 0 || this.#decider.asksStore(first);
    return isEarly ? [...guardedHeaders.map(([, permission]) => permission), ...seesMissing] : none;
  }

  /**
   * Decides with look-ups, before the request is sent.
   * @throws when the store cannot be asked.
   */
  async decideEarly(permissions: readonly Permission[]): Promise<void> {
    for (const permission of permissions) {
      if (this.#decided.has(permission)) continue;
      const { isPermitted } = await this.#decider.settle(permission);
      this.#decided.set(permission, isPermitted);
    }
  }

  /** Decides those that have not been decided: at once, or with pauses when that takes long. */
  decide(permissions: readonly Permission[]): MaybePromise<void> {
    const open = permissions.filter((permission) => !this.#decided.has(permission));
    if (open.length === 0) return undefined;
    return this.#decider.holding(() => this.#decideAll(open));
  }

  /** False also for a permission that has not been decided. */
  permits(permission: Permission): boolean {
    return this.#decided.get(permission) === true;
  }

  #decideAll([first, ...others]: readonly Permission[]): MaybePromise<void> {
    if (first === undefined) return undefined;
    if (this.#decided.has(first)) return this.#decideAll(others);
    const { conditionKeys } = this.#request;
    return whenReady(this.#decider.decideWithPauses(first, conditionKeys), ({ isPermitted }) => {
      this.#decided.set(first, isPermitted);
      return this.#decideAll(others);
    });
  }

  // The store is asked about sources and conditions before a write, and the error of a copy may come under a 200.
  #isAskedAbout(): boolean {
    const { operation, copySource, headers } = this.#request;
    const isRead = operation.method === 'GET' || operation.method === 'HEAD';
    return copySource !== undefined || (!isRead && headers.has('if-match'));
  }
}

const none: readonly never[] = [];
