import type { Authenticated } from '../authenticate/authenticate.ts';
import { DecisionBudget } from '../iam/budget.ts';
import { explainDenial } from '../iam/explain.ts';
import { RequestContext } from '../iam/request-context.ts';
import type { ConditionKey, Permission, S3Request } from '../s3/operation.ts';
import { type AccessDecision, decideAccess } from './decide.ts';
import { type PolicyGatherer, policyPrincipal } from './gather-policies.ts';
import { globalKeys } from './global-keys.ts';

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
  const base = [...globalKeys(request.raw, caller, authenticated.region), ...signatureKeys(authenticated)];
  // One budget for all of them: how many there are is the client's choice.
  const budget = new DecisionBudget(countDecisions(request));
  const decideOne = (permission: Permission, context: RequestContext): AccessDecision =>
    decideAccess(sets, { principal, ...permission, context, budget });
  const contextOf = (keys: readonly ConditionKey[]): RequestContext =>
    new RequestContext([...base, ...keys], lookupKeys);

  const context = contextOf(request.conditionKeys);
  const permits = (permission: Permission): boolean => decideOne(permission, context).effect === 'allow';
  const facts = { request, payload, permits };
  if (request.batch !== undefined) {
    const { batch } = request;
    const decisions = batch.items.map((item) =>
      decideAll(item.permissions, contextOf(item.conditionKeys), decideOne),
    );
    const denied = [...decisions.keys()].filter((index) => decisions[index]?.effect !== 'allow');
    const allowed = [...decisions.keys()].filter((index) => decisions[index]?.effect === 'allow');
    const decision = decisions[denied[0] ?? 0];
    if (decision === undefined) throw new Error('a batch without items');
    return new AuthorizedRequest({
      ...facts,
      decision,
      document: batch.writeBody(allowed),
      deniedItems: denied,
    });
  }
  const decision = decideAll(request.permissions, context, decideOne);
  if (decision.effect !== 'allow')
    return { isAllowed: false, decision, message: denialMessage(caller.arn, decision) };
  return new AuthorizedRequest({ ...facts, decision, document: request.document, deniedItems: [] });
}

// Source: AWS "Amazon S3 Signature Version 4 authentication specific policy keys"; the age is that of a URL only.
function signatureKeys({ form, raw, signedAtMs }: Authenticated): ConditionKey[] {
  const version: ConditionKey = ['s3:signatureversion', ['AWS4-HMAC-SHA256']];
  if (form === 'header') return [version, ['s3:authType', ['REST-HEADER']]];
  const ageMs = Math.max(0, raw.receivedAtMs - signedAtMs);
  return [version, ['s3:authType', ['REST-QUERY-STRING']], ['s3:signatureAge', [String(ageMs)]]];
}

function countDecisions({ permissions, guardedHeaders, batch }: S3Request): number {
  const inBatch = batch?.items.reduce((sum, item) => sum + item.permissions.length, 0) ?? 0;
  return permissions.length + guardedHeaders.length + inBatch + 1;
}

type DecidedPermission = AccessDecision & { readonly permission: Permission };

function denialMessage(callerArn: string, decision: DecidedPermission): string {
  const { action, resource } = decision.permission;
  const reason = explainDenial(decision, action);
  return `User: ${callerArn} is not authorized to perform: ${action} on resource: "${resource}" ${reason}`;
}

type Decide = (permission: Permission, context: RequestContext) => AccessDecision;

// The first refusal decides; with no permission at all there is nothing to allow.
function decideAll(
  permissions: readonly Permission[],
  context: RequestContext,
  decideOne: Decide,
): DecidedPermission {
  const [first, ...rest] = permissions;
  if (first === undefined) throw new Error('a request without permissions');
  let decision = { ...decideOne(first, context), permission: first };
  for (const permission of rest) {
    if (decision.effect !== 'allow') return decision;
    decision = { ...decideOne(permission, context), permission };
  }
  return decision;
}
