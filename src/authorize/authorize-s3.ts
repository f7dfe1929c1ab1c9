import type { Authenticated } from '../authenticate/authenticate.ts';
import { DecisionBudget } from '../iam/budget.ts';
import { explainDenial } from '../iam/explain.ts';
import { RequestContext } from '../iam/request-context.ts';
import type { Batch, ConditionKey, Permission, S3Request } from '../s3/operation.ts';
import { type AccessDecision, decideAccess } from './decide.ts';
import { type PolicyGatherer, policyPrincipal } from './gather-policies.ts';
import { type ContextEntry, globalKeys } from './global-keys.ts';

/** A request that was refused. */
export interface Denied {
  readonly isAllowed: false;
  readonly decision: AccessDecision;
  /** AWS's words: who may not do what on which resource, and which kind of policy is missing or denied it. */
  readonly message: string;
}

class AuthorizedRequest {
  readonly isAllowed = true;
  // A private field makes the type nominal: no object literal and no other class can stand in for it.
  readonly #request: S3Request;
  readonly payload: Authenticated['payload'];
  readonly decision: AccessDecision;
  /** The document to forward, after denied items were taken out; `undefined` when the body is streamed. */
  readonly document: Buffer | undefined;
  /** Indexes of the items of a batch that were denied. */
  readonly deniedItems: readonly number[];
  readonly #permits: (permission: Permission) => boolean;

  constructor(facts: {
    request: S3Request;
    payload: Authenticated['payload'];
    decision: AccessDecision;
    document: Buffer | undefined;
    deniedItems: readonly number[];
    permits: (permission: Permission) => boolean;
  }) {
    this.#request = facts.request;
    this.payload = facts.payload;
    this.decision = facts.decision;
    this.document = facts.document;
    this.deniedItems = facts.deniedItems;
    this.#permits = facts.permits;
  }

  /** The request that was authorized; the outgoing request is built from it and from nothing else. */
  get request(): S3Request {
    return this.#request;
  }

  /** Whether the caller also has a permission that only the response makes necessary. */
  permits(permission: Permission): boolean {
    return this.#permits(permission);
  }

  /** True when every item of a batch was denied, so that the store must not be asked. */
  get isEmptyBatch(): boolean {
    const items = this.#request.batch?.items;
    return items !== undefined && this.deniedItems.length === items.length;
  }
}

/** Proof that a request may be forwarded. The class is not exported: only this file makes one. */
export type Authorized = AuthorizedRequest;

/**
 * Decides an authenticated S3 request: every permission it needs must be allowed; the items of a batch are
 * decided one by one. `request` must be the one that was authenticated.
 */
export function authorizeS3(
  request: S3Request,
  authenticated: Authenticated,
  policies: PolicyGatherer,
  lookupKeys: readonly string[],
): Authorized | Denied {
  if (request.raw !== authenticated.raw)
    throw new Error('authorizing another request than was authenticated');
  const { caller, payload } = authenticated;
  const sets = policies.gather(caller);
  const principal = policyPrincipal(caller);
  let base: readonly ContextEntry[] | undefined;
  const baseKeys = (): readonly ContextEntry[] => {
    base ??= [...globalKeys(request.raw, caller, authenticated.region), ...signatureKeys(authenticated)];
    return base;
  };
  // One budget for all of them: how many there are is the client's choice.
  const budget = new DecisionBudget(countDecisions(request));
  const decideOne: Decide = ({ action, resource }, context) =>
    decideAccess(sets, { principal, action, resource, context, budget });
  const contextOf = (keys: readonly ConditionKey[]): RequestContext =>
    new RequestContext(() => [...baseKeys(), ...keys], lookupKeys);

  const context = contextOf(request.conditionKeys);
  const contextFor = ({ conditionKeys = [], unknownKeys = [] }: Permission): RequestContext =>
    new RequestContext(
      () => [...baseKeys(), ...request.conditionKeys, ...conditionKeys],
      [...lookupKeys, ...unknownKeys],
    );
  // Most permissions need nothing but the request's own context, which is built once.
  const decideInRequest = (permission: Permission): AccessDecision =>
    decideOne(permission, needsOwnContext(permission) ? contextFor(permission) : context);
  const permits = (permission: Permission): boolean => decideInRequest(permission).effect === 'allow';
  if (request.batch !== undefined) {
    const { batch } = request;
    const decideItem = ({ permissions, conditionKeys }: BatchItem): DecidedPermission => {
      const itemContext = contextOf(conditionKeys);
      return decideAll(permissions, (permission) => decideOne(permission, itemContext));
    };
    const decisions = batch.items.map((item) => decideItem(item));
    const denied = [...decisions.keys()].filter((index) => decisions[index]?.decision.effect !== 'allow');
    const allowed = [...decisions.keys()].filter((index) => decisions[index]?.decision.effect === 'allow');
    const decided = decisions[denied[0] ?? 0];
    if (decided === undefined) throw new Error('a batch without items');
    return new AuthorizedRequest({
      request,
      payload,
      permits,
      decision: decided.decision,
      document: batch.writeBody(allowed),
      deniedItems: denied,
    });
  }
  const decided = decideAll(request.permissions, decideInRequest);
  const { decision } = decided;
  if (decision.effect !== 'allow')
    return { isAllowed: false, decision, message: denialMessage(caller.arn, decided) };
  return new AuthorizedRequest({
    request: withoutUnpermitted(request, permits),
    payload,
    permits,
    decision,
    document: request.document,
    deniedItems: [],
  });
}

function needsOwnContext({ conditionKeys, unknownKeys }: Permission): boolean {
  return conditionKeys !== undefined || unknownKeys !== undefined;
}

// What the caller did not ask for in so many words is left out rather than refused.
function withoutUnpermitted(request: S3Request, permits: (permission: Permission) => boolean): S3Request {
  const { unlessPermitted } = request;
  if (unlessPermitted === undefined || unlessPermitted.permissions.every(permits)) return request;
  return { ...request, headers: new Map([...request.headers, ...unlessPermitted.headers]) };
}

// Source: AWS "Amazon S3 Signature Version 4 authentication specific policy keys"; the age is that of a URL only.
function signatureKeys({ form, raw, signedAtMs, payloadHash }: Authenticated): ConditionKey[] {
  const keys: ConditionKey[] = [
    ['s3:signatureversion', ['AWS4-HMAC-SHA256']],
    ['s3:x-amz-content-sha256', [payloadHash]],
  ];
  if (form === 'header') return [...keys, ['s3:authType', ['REST-HEADER']]];
  const ageMs = Math.max(0, raw.receivedAtMs - signedAtMs);
  return [...keys, ['s3:authType', ['REST-QUERY-STRING']], ['s3:signatureAge', [String(ageMs)]]];
}

function countDecisions({ permissions, guardedHeaders, unlessPermitted, batch }: S3Request): number {
  const inBatch = batch?.items.reduce((sum, item) => sum + item.permissions.length, 0) ?? 0;
  const optional = unlessPermitted?.permissions.length ?? 0;
  return permissions.length + guardedHeaders.length + optional + inBatch + 1;
}

interface DecidedPermission {
  readonly permission: Permission;
  readonly decision: AccessDecision;
}

function denialMessage(callerArn: string, { permission, decision }: DecidedPermission): string {
  const { action, resource } = permission;
  const reason = explainDenial(decision, action);
  return `User: ${callerArn} is not authorized to perform: ${action} on resource: "${resource}" ${reason}`;
}

type BatchItem = Batch['items'][number];

type Decide = (permission: Permission, context: RequestContext) => AccessDecision;

// The first refusal decides; with no permission at all there is nothing to allow.
function decideAll(
  permissions: readonly Permission[],
  decideOne: (permission: Permission) => AccessDecision,
): DecidedPermission {
  let decided: DecidedPermission | undefined;
  for (const permission of permissions) {
    decided = { permission, decision: decideOne(permission) };
    if (decided.decision.effect !== 'allow') return decided;
  }
  if (decided === undefined) throw new Error('a request without permissions');
  return decided;
}
