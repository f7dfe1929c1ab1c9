/*
 * This folder decides whether a caller may make an S3 request.
 * In: an `S3Request` and the `Identified` made from the same raw request; the policies that apply to the caller.
 * Out: `Authorized`, which `forward` requires, or `Denied` with the reason.
 * It never sends a request. It reads tags from the store only through the `StoreLookup` that it is given.
 * It never allows a request because a decision or a look-up failed.
 */

import { alwaysThere, type WaitingClient } from '../core/client-gone.ts';
import { type MaybePromise, whenReady } from '../core/maybe-promise.ts';
import { nextTurn } from '../core/turns.ts';
import type { Batch, BucketFilter, Permission, S3Request } from '../s3/operation.ts';
import { AnswerPermissions } from './answer-permissions.ts';
import { type Identified, turnOwnerOf } from './asker.ts';
import type { AccessDecision } from './decide.ts';
import type { DecidedPermission } from './decided-permission.ts';
import { type Denied, deniedRequest } from './denied.ts';
import { type AuthorizationSources, PermissionDecider } from './permission-decider.ts';
import type { ResultWriter } from './result-writer.ts';
import { settleAll } from './settle-all.ts';
import { longBatch, settleBatch } from './settle-batch.ts';
import { settleTagCopy } from './settle-tag-copy.ts';
import { visibleBuckets } from './visible-buckets.ts';

export type { Denied } from './denied.ts';

/** Bytes that a list of buckets takes for each of its own, while the buckets are decided on. */
const listFactor = 4;

/** Bytes of lists of buckets that are read and decided on in one turn of the event loop. */
const listBytesPerTurn = 32_768;

interface AuthorizedFacts {
  readonly request: S3Request;
  readonly payload: Identified['payload'];
  readonly decided: DecidedPermission;
  readonly document: Buffer | undefined;
  readonly deniedItems: readonly number[];
  readonly writeResult: ResultWriter | undefined;
  readonly answer: AnswerPermissions;
}

class AuthorizedRequest {
  readonly isAllowed = true;
  // A private field makes the type nominal: no object literal and no other class can stand in for it.
  readonly #request: S3Request;
  readonly payload: Identified['payload'];
  readonly decision: AccessDecision;
  /** False when audit mode let a denied request pass. */
  readonly isEnforced: boolean;
  /** The document to forward, without denied items; `undefined` when the body is streamed. */
  readonly document: Buffer | undefined;
  /** Indexes of the denied items of a batch. */
  readonly deniedItems: readonly number[];
  /** Rewrites the answer; `undefined` when it is passed on unchanged. */
  readonly writeResult: ResultWriter | undefined;
  readonly #answer: AnswerPermissions;

  constructor(facts: AuthorizedFacts) {
    const { decision, isPermitted } = facts.decided;
    this.#request = facts.request;
    this.payload = facts.payload;
    this.decision = decision;
    this.isEnforced = decision.effect === 'allow' || !isPermitted;
    this.document = facts.document;
    this.deniedItems = facts.deniedItems;
    this.writeResult = facts.writeResult;
    this.#answer = facts.answer;
  }

  /** The authorized request; the outgoing request is built only from it. */
  get request(): S3Request {
    return this.#request;
  }

  /**
   * Decides permissions that only the answer turns out to need. Wait for the promise, if there is one, before `permits` is
   * asked. Looks nothing up.
   */
  decide(permissions: readonly Permission[]): MaybePromise<void> {
    return permissions.length === 0 ? undefined : this.#answer.decide(permissions);
  }

  /** True when the caller has a permission that has been decided. */
  permits(permission: Permission): boolean {
    return this.#answer.permits(permission);
  }

  /** True when every item of a batch was denied, so that the store must not be asked. */
  get isEmptyBatch(): boolean {
    const items = this.#request.batch?.items;
    return items !== undefined && this.deniedItems.length === items.length;
  }
}

/** Proof that a request may be forwarded. The class is not exported, so only this file makes one. */
export type Authorized = AuthorizedRequest;

/**
 * Decides an authenticated S3 request. Every permission that it needs must be allowed; the items of a batch are decided one
 * by one. Looks up tags that a decision depends on.
 * @param request the request that was authenticated.
 * @param client who waits for the answer: when it has left, a decision ends that would pause or look something up.
 * @throws ClientGoneError, and when the store cannot be asked.
 */
export function authorizeS3(
  request: S3Request,
  identified: Identified,
  sources: AuthorizationSources,
  client: WaitingClient = alwaysThere,
): MaybePromise<Authorized | Denied> {
  if (request.raw !== identified.raw) throw new Error('authorizing another request than was authenticated');
  const authorization = new RequestAuthorization(request, identified, sources, client);
  return authorization.decide();
}

class RequestAuthorization {
  readonly #request: S3Request;
  readonly #identified: Identified;
  readonly #decider: PermissionDecider;
  readonly #isFiltering: boolean;
  readonly #answer: AnswerPermissions;

  constructor(
    request: S3Request,
    identified: Identified,
    sources: AuthorizationSources,
    client: WaitingClient,
  ) {
    this.#request = request;
    this.#identified = identified;
    this.#decider = new PermissionDecider(request, identified, sources, client);
    this.#answer = new AnswerPermissions(request, this.#decider);
    this.#isFiltering = sources.listBuckets === 'filtered';
  }

  decide(): MaybePromise<Authorized | Denied> {
    const { batch } = this.#request;
    return this.#decider.holding(() =>
      batch === undefined ? this.#decideWhole() : this.#decideBatch(batch),
    );
  }

  #decideWhole(): MaybePromise<Authorized | Denied> {
    const deciding = settleAll(this.#request.permissions, (permission) => this.#decider.settle(permission));
    return whenReady(deciding, (decided) => {
      if (!decided.isPermitted) return this.#filteredOrDenied(decided);
      const { tagCopy, document } = this.#request;
      const { early } = this.#answer;
      return tagCopy === undefined && early.length === 0
        ? this.#authorized({ decided, document })
        : this.#decideFurther(decided, early);
    });
  }

  async #decideFurther(
    decided: DecidedPermission,
    early: readonly Permission[],
  ): Promise<Authorized | Denied> {
    const { tagCopy, document } = this.#request;
    const copied = tagCopy && (await settleTagCopy(tagCopy, this.#request, this.#decider));
    if (copied?.refusal?.isPermitted === false) return this.#denied(copied.refusal);
    await this.#answer.decideEarly(early);
    const headers = copied?.headers;
    const request = headers === undefined ? this.#request : { ...this.#request, headers };
    const recorded = decided.decision.effect === 'allow' ? copied?.refusal : undefined;
    return this.#authorized({ decided: recorded ?? decided, request, document });
  }

  async #decideBatch(batch: Batch): Promise<Authorized> {
    const { decided, allowed, deniedItems } = await settleBatch(batch.items, (permission, keys) =>
      this.#decider.settle(permission, keys),
    );
    return this.#authorized({
      decided,
      document: batch.writeBody(allowed),
      deniedItems,
      writeResult: async (storeResult) => {
        const { owner, session } = turnOwnerOf(this.#identified.caller);
        if (batch.items.length > longBatch) await nextTurn(owner, session);
        return batch.writeResult(storeResult, deniedItems);
      },
    });
  }

  #filteredOrDenied(refused: DecidedPermission): Authorized | Denied {
    const { bucketFilter } = this.#request;
    const { isExplicitDeny, fault } = refused.decision;
    const isFiltered = this.#isFiltering && !isExplicitDeny && fault === undefined;
    return isFiltered && bucketFilter !== undefined
      ? this.#filtered(refused, bucketFilter)
      : this.#denied(refused);
  }

  /** Authorizes a list of only those buckets that the caller may list. */
  #filtered(refused: DecidedPermission, filter: BucketFilter): Authorized {
    const { decision } = refused;
    const shown = { ...decision, effect: 'allow' as const };
    return this.#authorized({
      request: { ...this.#request, parameters: filter.parameters },
      decided: { ...refused, decision: shown, isPermitted: true },
      writeResult: async (storeResult, { signal, reserve }) => {
        reserve(listFactor * storeResult.length);
        const { owner, session } = turnOwnerOf(this.#identified.caller);
        await nextTurn(owner, session, storeResult.length / listBytesPerTurn);
        signal.throwIfAborted();
        const { names, write } = filter.read(storeResult);
        const visible = await visibleBuckets(names, filter, this.#decider, signal);
        // The refusal does not name the bucket: it may be hidden from the caller.
        if ('effect' in visible) return { refusal: this.#denied({ ...refused, decision: visible }) };
        return write(visible) ?? { refusal: await this.#decider.holding(() => this.#denied(refused)) };
      },
    });
  }

  #authorized(facts: Pick<AuthorizedFacts, 'decided'> & Partial<AuthorizedFacts>): Authorized {
    return new AuthorizedRequest({
      request: facts.request ?? this.#request,
      payload: this.#identified.payload,
      decided: this.#decider.explained(facts.decided),
      document: facts.document,
      deniedItems: facts.deniedItems ?? [],
      writeResult: facts.writeResult,
      answer: this.#answer,
    });
  }

  #denied(refused: DecidedPermission): Denied {
    return deniedRequest(
      this.#decider.explained(refused),
      this.#identified.caller,
      this.#decider.contextOf(refused.permission),
    );
  }
}
