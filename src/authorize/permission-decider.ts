import type { ForStore } from '../authenticate/for-store.ts';
import { requireClient, type WaitingClient } from '../core/client-gone.ts';
import { type MaybePromise, whenReady } from '../core/maybe-promise.ts';
import { DecisionBudget } from '../iam/budget.ts';
import { decideWithPauses, failedDecision, type NeedsKeys, type PolicySets } from '../iam/combine.ts';
import { couldDenyOther } from '../iam/could-deny.ts';
import type { ContextEntry } from '../iam/key-table.ts';
import { nearestStatement } from '../iam/near-miss.ts';
import type { AuthorizationQuery, PolicyPrincipal } from '../iam/query.ts';
import type { RequestContext } from '../iam/request-context.ts';
import type { ConditionKey, Permission, S3Request } from '../s3/operation.ts';
import { holderOf, type Identified, turnOwnerOf } from './asker.ts';
import { type AccessDecision, isRelaxedBy, type Leniency, leniencyFor, undecidable } from './decide.ts';
import type { DecidedPermission } from './decided-permission.ts';
import { decidedWithin } from './decided-within.ts';
import { DecisionContexts } from './decision-contexts.ts';
import { gatherInTurn } from './gather-in-turn.ts';
import { type PolicyGatherer, policyPrincipal } from './gather-policies.ts';
import { LookedUpTags } from './looked-up-tags.ts';
import { Pace } from './pace.ts';
import { asPaths, decideEveryName, type PermissionQuestion } from './permission-as-path.ts';
import { asksStore, objectTags } from './store-keys.ts';
import type { StoreLookup, StoreTag } from './store-lookup.ts';

/** The dependencies of S3 decisions, all of one configuration snapshot. */
export interface AuthorizationSources {
  readonly policies: PolicyGatherer;
  readonly lookup: StoreLookup;
  /** Prefixes of the context keys of a permission that only the store knows. */
  readonly lookupKeysOf: (permission: Permission) => readonly string[];
  /** For callers whose role has no setting of its own. */
  readonly enforcement: 'enforce' | 'audit';
  /** What ListBuckets shows to callers who may not list all buckets. */
  readonly listBuckets: 'filtered' | 'strict';
}

/** Cost of finding the policies and the context of one decision, in comparisons. */
const stepsToPrepare = 4_000;

/**
 * Decides the permissions of one request with one context, and looks up tags where decisions depend on them. The policies must be
 * held meanwhile: see `holding`.
 */
export class PermissionDecider {
  readonly #request: S3Request;
  readonly #identified: Identified | ForStore;
  readonly #sources: AuthorizationSources;
  /** Present while they are held. */
  #sets: PolicySets | undefined;
  readonly #principal: PolicyPrincipal;
  readonly #leniency: Leniency;
  readonly #budget: DecisionBudget = new DecisionBudget();
  // The client chooses the number of decisions.
  readonly #pace: Pace;
  readonly #client: WaitingClient;
  readonly #tags: LookedUpTags;
  readonly #contexts: DecisionContexts;

  constructor(
    request: S3Request,
    identified: Identified | ForStore,
    sources: AuthorizationSources,
    client: WaitingClient,
  ) {
    const { caller } = identified;
    this.#client = client;
    this.#pace = new Pace(this.#budget, client);
    this.#request = request;
    this.#identified = identified;
    this.#sources = sources;
    this.#principal = policyPrincipal(caller);
    this.#leniency = leniencyFor(identified, sources.enforcement);
    this.#tags = new LookedUpTags(sources.lookup, holderOf(caller), client, request.raw.traceHeaders);
    this.#contexts = new DecisionContexts(request, identified, this.#budget);
  }

  /**
   * Decides one of many items that the store listed, without a look-up. A decision that depends on tags is a deny, but not a
   * fault.
   */
  async decideListed(permission: Permission): Promise<DecidedPermission> {
    const { conditionKeys: requestKeys } = this.#request;
    const question = { permission, requestKeys };
    const decision = await this.#evaluateWithPauses(question);
    if (decision.effect !== 'needs') return this.#decided(question, decision);
    const { fault: _, ...refusal } = undecidable(decision.keys);
    return { ...question, decision: refusal, isPermitted: false };
  }

  /**
   * Decides, and looks up the tags that the decision depends on.
   * @throws when the store cannot be asked.
   */
  settle(
    permission: Permission,
    requestKeys: readonly ConditionKey[] = this.#request.conditionKeys,
  ): MaybePromise<DecidedPermission> {
    return decideEveryName(
      { permission, requestKeys },
      () => this.#otherQuestions(permission, requestKeys),
      (question) => this.#settleOne(question),
    );
  }

  /** Decides without a look-up. A decision that depends on tags that have not been looked up is a deny. */
  decideWithPauses(
    permission: Permission,
    requestKeys: readonly ConditionKey[],
  ): MaybePromise<DecidedPermission> {
    return decideEveryName(
      { permission, requestKeys },
      () => this.#otherQuestions(permission, requestKeys),
      (question) =>
        whenReady(this.#evaluateWithPauses(question), (decision) =>
          this.#decided(question, decision.effect === 'needs' ? undecidable(decision.keys) : decision),
        ),
    );
  }

  /**
   * Looks up the tags of the object that a permission names; `undefined` when the store does not say.
   * @throws when the store cannot be asked.
   */
  objectTags(permission: Permission): Promise<readonly StoreTag[] | undefined> {
    return this.#tags.of(objectTags, permission);
  }

  /**
   * Gathers the policies of the caller and makes decisions with them. Afterwards, however the decisions ended, they are
   * dropped, with the tags and the context keys: the client decides how long its body takes, and a session policy full of patterns takes half a
   * megabyte when compiled; only the gatherer, which bounds their number, keeps them. A later decision that depends on tags
   * is a deny, or looks them up again.
   */
  holding<T>(decide: () => MaybePromise<T>): MaybePromise<T> {
    const { policies } = this.#sources;
    let deciding: MaybePromise<T> | undefined;
    try {
      deciding = whenReady(gatherInTurn(policies, this.#identified.caller, this.#pace), (sets) => {
        this.#sets = sets;
        return decide();
      });
    } finally {
      if (!(deciding instanceof Promise)) this.#release();
    }
    return deciding instanceof Promise ? deciding.finally(() => this.#release()) : deciding;
  }

  #release(): void {
    this.#sets = undefined;
    this.#tags.forget();
    this.#contexts.forget();
  }

  /** True when a policy that applies to the permission refers to a key which only the store knows. */
  asksStore(permission: Permission): boolean {
    return asksStore(this.#setsFor(permission));
  }

  /**
   * The decision with the Allow that came closest, if it is an implicit deny. To be asked once for a request, because that takes as
   * long as another decision, and while the policies are held: later it changes nothing.
   */
  explained(decided: DecidedPermission): DecidedPermission {
    const { decision, permission } = decided;
    const { effect, isExplicitDeny, fault } = decision;
    if (this.#sets === undefined || effect === 'allow' || isExplicitDeny || fault !== undefined)
      return decided;
    const nearMiss = nearestStatement(this.#setsFor(permission), this.#query(decided), decision);
    this.#pace.count();
    return { ...decided, decision: { ...decision, nearMiss } };
  }

  /** Every context key of the request and of one permission, for the explanation of a refusal. */
  contextOf(permission: Permission): readonly ContextEntry[] {
    return this.#contexts.list(permission);
  }

  // A name that need not be allowed is not asked about where no Deny could tell it from the one that was sent.
  #otherQuestions(
    permission: Permission,
    requestKeys: readonly ConditionKey[],
  ): readonly PermissionQuestion[] {
    return asPaths(permission, requestKeys).filter(
      (other) =>
        other.isDenyOnly !== true ||
        couldDenyOther(this.#setsFor(permission), other.permission, permission.resource),
    );
  }

  #settleOne(question: PermissionQuestion): MaybePromise<DecidedPermission> {
    return whenReady(this.#evaluateWithPauses(question), (decision) =>
      decision.effect === 'needs'
        ? this.#settleWithTags(question, decision.keys)
        : this.#decided(question, decision),
    );
  }

  async #settleWithTags(question: PermissionQuestion, keys: readonly string[]): Promise<DecidedPermission> {
    requireClient(this.#client);
    const { permission } = question;
    const prefixes = this.#sources.lookupKeysOf(permission);
    if (!(await this.#tags.learn(permission, prefixes, keys)))
      return this.#decided(question, undecidable(keys));
    return this.#settleOne(question);
  }

  #decided({ permission, requestKeys }: PermissionQuestion, decision: AccessDecision): DecidedPermission {
    // A Deny of part of a delivery is only searched for after an allow, so an unallowed one must not pass.
    const isRelaxed = permission.within === undefined && isRelaxedBy(this.#leniency, decision);
    return { permission, requestKeys, decision, isPermitted: decision.effect === 'allow' || isRelaxed };
  }

  #evaluateWithPauses(question: PermissionQuestion): MaybePromise<AccessDecision | NeedsKeys> {
    const { permission } = question;
    try {
      const sets = this.#setsFor(permission);
      this.#budget.spend(stepsToPrepare);
      const query = this.#query(question);
      return whenReady(
        decideWithPauses(sets, query, () => this.#pace.rest(turnOwnerOf(this.#identified.caller))),
        (decision) => {
          const whole = decidedWithin(sets, query, permission.within, decision);
          this.#pace.count();
          return whole;
        },
      );
    } catch (fault) {
      return failedDecision(fault);
    }
  }

  #query({ permission, requestKeys, isDenyOnly }: PermissionQuestion): AuthorizationQuery {
    const { action, resource } = permission;
    const context = this.#context(permission, requestKeys);
    const [principal, budget, isEnforced] = [this.#principal, this.#budget, this.#leniency === 'none'];
    return { principal, action, resource, context, budget, isDenyOnly, isEnforced };
  }

  #setsFor({ resource }: Permission): PolicySets {
    if (this.#sets === undefined) throw new Error('deciding without policies');
    return this.#sources.policies.withBucketPolicy(this.#sets, resource);
  }

  #context(permission: Permission, requestKeys: readonly ConditionKey[]): RequestContext {
    const lazyKeys = this.asksStore(permission) ? this.#sources.lookupKeysOf(permission) : [];
    return this.#contexts.of(permission, requestKeys, lazyKeys, (prefix) =>
      this.#tags.known(prefix, permission),
    );
  }
}
