import type { Caller } from '../../authenticate/caller.ts';
import { policyPrincipal } from '../../authorize/gather-policies.ts';
import { globalKeys, requestKeys } from '../../authorize/global-keys.ts';
import { formatArn, parseArn } from '../../core/arn.ts';
import type { RawRequest } from '../../core/raw-request.ts';
import type { AccountRecord } from '../../directory/records.ts';
import type { Role } from '../../directory/role.ts';
import { type Decision, decide, type NeedsKeys, type PolicySets } from '../../iam/combine.ts';
import { ownPolicyTypes } from '../../iam/policy-sets.ts';
import type { AuthorizationQuery, PolicyPrincipal } from '../../iam/query.ts';
import { type ContextEntry, RequestContext } from '../../iam/request-context.ts';
import type { SessionTag } from '../../tokens/session-claims.ts';
import { requestTagKeys } from '../session-tags.ts';

/** The action that a caller with credentials needs permission for. */
export const assumeRole = 'sts:AssumeRole';

/** The action that the holder of an identity token needs permission for. */
export const assumeRoleWithWebIdentity = 'sts:AssumeRoleWithWebIdentity';

/** The action that the holder of a SAML assertion needs permission for. */
export const assumeRoleWithSaml = 'sts:AssumeRoleWithSAML';

/** Default duration of a session, in seconds. */
export const defaultDurationSeconds = 3600;

/** The action needed in addition when the session has tags. */
export const tagSession = 'sts:TagSession';

/** The action needed in addition when the session has a source identity. */
export const setSourceIdentity = 'sts:SetSourceIdentity';

/** A requested session, as far as condition keys describe it. */
export interface RequestedSession {
  readonly sessionName: string;
  readonly durationSeconds: number;
  readonly externalId?: string | undefined;
  /** The tags of the request itself, without inherited ones. */
  readonly tags?: readonly SessionTag[];
  readonly sourceIdentity?: string | undefined;
  /** True when this request carried a valid MFA code. */
  readonly hasMfaCode?: boolean;
}

/** A question about a role, in parts: it is asked both with and without the facts of the role. */
export interface TrustQuestion {
  readonly principal: PolicyPrincipal;
  readonly action: string;
  /** The same for the trust policy and for the caller's own policies. */
  readonly entries: readonly ContextEntry[];
}

/** The question of AssumeRole. `region` is the region of the caller's signature. */
export function callerQuestion(
  session: RequestedSession,
  { raw, caller, region }: { readonly raw: RawRequest; readonly caller: Caller; readonly region: string },
  accountId: string,
): TrustQuestion {
  const { externalId, hasMfaCode = false } = session;
  const entries: ContextEntry[] = [...globalKeys(raw, caller, region), ...sessionKeys(session, accountId)];
  if (externalId !== undefined) entries.push(['sts:ExternalId', externalId]);
  return {
    principal: policyPrincipal(caller),
    action: assumeRole,
    entries: hasMfaCode ? withMfaCode(entries) : entries,
  };
}

// For this decision the code of the request takes precedence over the caller's own session.
function withMfaCode(entries: readonly ContextEntry[]): ContextEntry[] {
  const others = entries.filter(([key]) => !key.startsWith('aws:MultiFactorAuth'));
  return [...others, ['aws:MultiFactorAuthPresent', 'true'], ['aws:MultiFactorAuthAge', '0']];
}

/** The action of each kind of federated principal. */
export const federatedActions = {
  'web-identity': assumeRoleWithWebIdentity,
  saml: assumeRoleWithSaml,
} as const;

/** A user of an identity provider, as trust policies see one. */
export interface FederatedUser {
  readonly kind: keyof typeof federatedActions;
  readonly providerArn: string;
  /** Keys that the proof of the identity has, by the provider's own prefix or `saml:`. */
  readonly conditionKeys: Iterable<ContextEntry>;
}

/** The question of AssumeRoleWithWebIdentity and AssumeRoleWithSAML. */
export function federatedQuestion(
  session: RequestedSession,
  { kind, providerArn: provider, conditionKeys }: FederatedUser,
  raw: RawRequest,
  account: AccountRecord & { readonly region: string },
): TrustQuestion {
  return {
    principal: { kind, accountId: account.id, arn: '', federatedProvider: provider },
    action: federatedActions[kind],
    entries: [
      ...requestKeys(raw, account.region),
      ['aws:FederatedProvider', provider],
      ...sessionKeys(session, account.id),
      ...conditionKeys,
    ],
  };
}

/** The condition keys that describe the requested session, for every kind of caller. */
function sessionKeys(
  { sessionName, durationSeconds, tags = [], sourceIdentity }: RequestedSession,
  accountId: string,
): ContextEntry[] {
  return [
    ['aws:ResourceAccount', accountId],
    ['sts:RoleSessionName', sessionName],
    // The effective duration, default included. Otherwise a policy that limits the duration would refuse requests without one.
    ['sts:DurationSeconds', String(durationSeconds)],
    ...requestTagKeys(tags),
    ...(sourceIdentity === undefined ? [] : [['sts:SourceIdentity', sourceIdentity] as const]),
  ];
}

// Unknown without the role. A statement that names one denies, instead of treating the tag as absent.
const roleTagKeys: readonly string[] = ['aws:ResourceTag/', 'iam:ResourceTag/'];

/** The question about a role of which only the ARN is known. */
export function trustQuery(
  { principal, action, entries }: TrustQuestion,
  roleArn: string,
  lazyKeys: readonly string[] = [],
): AuthorizationQuery {
  const context = new RequestContext(entries, [...roleTagKeys, ...lazyKeys]);
  return { principal, action, resource: roleArn, context };
}

/** A query with the policies that answer it. */
export interface TrustCase {
  readonly sets: PolicySets;
  readonly query: AuthorizationQuery;
}

/**
 * Adds the role's tags and its trust policy. A role that does not exist has no tags and no trust policy, and is decided in the
 * same way, so that its absence does not show.
 */
export function trustCase(own: PolicySets, query: AuthorizationQuery, role: Role | undefined): TrustCase {
  const context = withRoleTags(query.context, role?.tags ?? noTags);
  return {
    sets: { ...own, resource: role === undefined ? [] : [role.trustPolicy] },
    query: { ...query, context },
  };
}

/**
 * A {@link trustCase} about a question of which nothing but the role has to be known. Its table of keys, which a stranger chooses the
 * size of, is built once.
 */
export function knownTrustCase(
  own: PolicySets,
  { principal, action, entries }: TrustQuestion,
  { roleArn, role }: { readonly roleArn: string; readonly role: Role | undefined },
): TrustCase {
  const context = withRoleTags(new RequestContext(entries, roleTagKeys), role?.tags ?? noTags);
  const sets = { ...own, resource: role === undefined ? [] : [role.trustPolicy] };
  return { sets, query: { principal, action, resource: roleArn, context } };
}

/** The same case about another action. */
export function aboutAction({ sets, query }: TrustCase, action: string): TrustCase {
  return { sets, query: { ...query, action } };
}

const noTags: ReadonlyMap<string, string> = new Map();

/** Decides a {@link trustCase} without pauses. */
export function decideTrustCase({ sets, query }: TrustCase): Decision | NeedsKeys {
  return requireOwnConsent(decide(sets, query), query);
}

/**
 * Completes the decision of the policy engine about a {@link trustCase}. For tags and a source identity, the rules of the role
 * itself apply. Setting a source identity along a chain also needs the caller's own permission, even when the trust policy
 * names the caller (IAM user guide, "Permissions required to set source identity").
 */
export function requireOwnConsent(
  decision: Decision | NeedsKeys,
  { action, principal }: AuthorizationQuery,
): Decision | NeedsKeys {
  if (action !== setSourceIdentity || principal.kind !== 'role-session') return decision;
  if (decision.effect !== 'allow') return decision;
  const { sets: effects } = decision;
  const silent = ownPolicyTypes.find((policyType) => effects[policyType] === 'none');
  if (silent === undefined) return decision;
  return { effect: 'deny', isExplicitDeny: false, policyType: silent, sets: effects };
}

function withRoleTags(context: RequestContext, tags: ReadonlyMap<string, string>): RequestContext {
  return roleTagKeys.reduce((known, prefix) => known.withLookedUp(prefix, tagEntries(prefix, tags)), context);
}

function tagEntries(prefix: string, tags: ReadonlyMap<string, string>): ContextEntry[] {
  return [...tags].map(([key, value]) => [prefix + key, value]);
}

/** The ARN of a role with its account; an ARN without an account means this account. `undefined` for other ARNs. */
export function fullRoleArn(text: string, accountId: string): string | undefined {
  const arn = parseArn(text);
  const isRoleArn =
    arn?.service === 'iam' &&
    arn.region === '' &&
    /^(?:\d{12})?$/.test(arn.account) &&
    /^role\/[\x21-\x7e]+$/.test(arn.resource);
  if (!isRoleArn) return undefined;
  return arn.account === '' ? formatArn({ ...arn, account: accountId }) : text;
}
