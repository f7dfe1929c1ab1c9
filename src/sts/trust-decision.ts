import type { Caller } from '../authenticate/caller.ts';
import { policyPrincipal } from '../authorize/gather-policies.ts';
import { globalKeys, requestKeys } from '../authorize/global-keys.ts';
import { formatArn, parseArn } from '../core/arn.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { AccountRecord } from '../directory/records.ts';
import type { Role } from '../directory/role.ts';
import { type Decision, decide, type NeedsKeys, type PolicySets } from '../iam/combine.ts';
import type { AuthorizationQuery, PolicyPrincipal } from '../iam/query.ts';
import { type ContextEntry, RequestContext } from '../iam/request-context.ts';
import type { FederatedIdentity } from '../identity/federated-identity.ts';
import type { SamlIdentity } from '../identity/saml-identity.ts';
import type { SessionTag } from '../tokens/session-claims.ts';
import { claimKeys, providerArn } from './federated-keys.ts';
import { requestTagKeys } from './session-tags.ts';

/** The action that a caller with credentials needs on a role. */
export const assumeRole = 'sts:AssumeRole';

/** The action that a web identity needs on a role. */
export const assumeRoleWithWebIdentity = 'sts:AssumeRoleWithWebIdentity';

/** The action that somebody with a SAML assertion needs on a role. */
export const assumeRoleWithSaml = 'sts:AssumeRoleWithSAML';

/** How long a session lasts when the request does not say, in seconds. */
export const defaultDurationSeconds = 3600;

/** The action that tags of a session need besides. */
export const tagSession = 'sts:TagSession';

/** The action that a source identity needs besides. */
export const setSourceIdentity = 'sts:SetSourceIdentity';

/** A session that is asked for, as far as conditions can be about it. */
export interface RequestedSession {
  readonly sessionName: string;
  readonly durationSeconds: number;
  readonly externalId?: string | undefined;
  /** The tags that the request itself names. */
  readonly tags?: readonly SessionTag[];
  readonly sourceIdentity?: string | undefined;
  /** Whether this very request proves a second factor. */
  readonly hasMfaCode?: boolean;
}

/** A question about a role in parts, so that it can be asked with and without what is known of the role. */
export interface TrustQuestion {
  readonly principal: PolicyPrincipal;
  readonly action: string;
  /** Of the trust decision and of the caller's own policies alike. */
  readonly entries: readonly ContextEntry[];
}

/** What AssumeRole asks of the policies, on behalf of a caller whose signature names `region`. */
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

// The code counts for this decision, whatever the caller's own session says.
function withMfaCode(entries: readonly ContextEntry[]): ContextEntry[] {
  const others = entries.filter(([key]) => !key.startsWith('aws:MultiFactorAuth'));
  return [...others, ['aws:MultiFactorAuthPresent', 'true'], ['aws:MultiFactorAuthAge', '0']];
}

/** What AssumeRoleWithWebIdentity asks of the trust policy, on behalf of whom an identity provider vouches for. */
export function federatedQuestion(
  session: RequestedSession,
  identity: Pick<FederatedIdentity, 'issuer' | 'claims'>,
  raw: RawRequest,
  account: AccountRecord & { readonly region: string },
): TrustQuestion {
  const provider = providerArn(identity.issuer, account);
  return {
    principal: { kind: 'web-identity', accountId: account.id, arn: '', federatedProvider: provider },
    action: assumeRoleWithWebIdentity,
    entries: [
      ...requestKeys(raw, account.region),
      ['aws:FederatedProvider', provider],
      ...sessionKeys(session, account.id),
      ...claimKeys(identity),
    ],
  };
}

/** What AssumeRoleWithSAML asks of the trust policy, on behalf of whom a SAML provider vouches for. */
export function samlQuestion(
  session: RequestedSession,
  { providerArn: provider, conditionKeys }: Pick<SamlIdentity, 'providerArn' | 'conditionKeys'>,
  raw: RawRequest,
  account: AccountRecord & { readonly region: string },
): TrustQuestion {
  return {
    principal: { kind: 'saml', accountId: account.id, arn: '', federatedProvider: provider },
    action: assumeRoleWithSaml,
    entries: [
      ...requestKeys(raw, account.region),
      ['aws:FederatedProvider', provider],
      ...sessionKeys(session, account.id),
      ...conditionKeys,
    ],
  };
}

/** What conditions can say about the session itself, whoever asks for it. */
function sessionKeys(
  { sessionName, durationSeconds, tags = [], sourceIdentity }: RequestedSession,
  accountId: string,
): ContextEntry[] {
  return [
    ['aws:ResourceAccount', accountId],
    ['sts:RoleSessionName', sessionName],
    // The duration that would be granted, default included: otherwise a policy that limits it refuses the default.
    ['sts:DurationSeconds', String(durationSeconds)],
    ...requestTagKeys(tags),
    ...(sourceIdentity === undefined ? [] : [['sts:SourceIdentity', sourceIdentity] as const]),
  ];
}

// Unknown until the role is: a statement that names one denies rather than taking the tag for absent.
const roleTagKeys: readonly string[] = ['aws:ResourceTag/', 'iam:ResourceTag/'];

/** The question about a role of whom nothing is known but its ARN. */
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
 * Adds the role's tags and its trust policy. A role that does not exist has no tags and trusts nobody; everything else
 * goes the same way, so existence does not show.
 */
export function trustCase(own: PolicySets, query: AuthorizationQuery, role: Role | undefined): TrustCase {
  const context = withRoleTags(query.context, role?.tags ?? noTags);
  return {
    sets: { ...own, resource: role === undefined ? [] : [role.trustPolicy] },
    query: { ...query, context },
  };
}

const noTags: ReadonlyMap<string, string> = new Map();

const ownPolicyTypes = ['identity', 'boundary', 'session'] as const;

/** The answer to a {@link trustCase}, without pauses. */
export function decideTrustCase({ sets, query }: TrustCase): Decision | NeedsKeys {
  return requireOwnConsent(decide(sets, query), query);
}

/**
 * The answer to a {@link trustCase} by what the engine has decided about it. Tags and a source identity need what the role itself
 * needs; a source identity that is set along a chain also needs the caller's own policies, however closely the trust policy
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
  return roleTagKeys.reduce(
    (known, prefix) =>
      known.withLookedUp(
        prefix,
        [...tags].map(([key, value]) => [prefix + key, value] as const),
      ),
    context,
  );
}

/** A role's ARN with its account, an account-less one meaning the only account there is; `undefined` for other ARNs. */
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
