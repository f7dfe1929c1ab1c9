/*
 * This folder owns the encrypted tokens: session tokens, and the messages that explain a denial.
 * In: claims or a denial, and the key ring to seal them with; or a token to open. Out: the token, or its content.
 * It never stores a session, and never decides whether one is still valid: the caller checks expiry and revocation.
 * A session token never holds the role's own policies, or the secret access key, which is derived from a seed in it.
 *
 * This file defines the claims of a session token.
 */

import { isOptionalText, isText, isTextList, isTime } from './claim-values.ts';
import { asAncestor, decodeAncestors, encodeAncestors, type SessionAncestor } from './session-ancestors.ts';

/** A session of a role. */
export interface RoleSessionPrincipal {
  readonly kind: 'role-session';
  /** The role's full ARN, path included. */
  readonly roleArn: string;
  /** `AROA…`. A recreated role has another id, which ends its old sessions. */
  readonly roleId: string;
  readonly sessionName: string;
}

/** A user, or the account's root, with temporary credentials of its own (GetSessionToken). */
export interface UserSessionPrincipal {
  readonly kind: 'user-session';
  readonly userArn: string;
  /** `AIDA…`, or the account id of root. A recreated user has another id, which ends its old sessions. */
  readonly userId: string;
}

/** A federated user, for whom a user or the account's root requested the session (GetFederationToken). */
export interface FederatedUserPrincipal {
  readonly kind: 'federated-user';
  readonly userArn: string;
  readonly userId: string;
  /** The name in the request. */
  readonly name: string;
}

/** The principal of a session. */
export type SessionPrincipal = RoleSessionPrincipal | UserSessionPrincipal | FederatedUserPrincipal;

/** A session tag. */
export interface SessionTag {
  readonly key: string;
  readonly value: string;
  readonly isTransitive: boolean;
}

/** The identity provider and subject of a federated session, in full, from the token or assertion that was presented. */
export interface SessionFederation {
  /** ARN of the identity provider. */
  readonly provider: string;
  readonly subject: string;
  /** The audience that the token was accepted for; for an assertion, its recipient. */
  readonly audience: string;
  /** For assertions only. */
  readonly saml?: SamlSubject;
}

/** Distinguishes subjects of a SAML provider that have the same name. */
export interface SamlSubject {
  readonly subjectType: string;
  readonly nameQualifier: string;
}

/** The claims of a session token: what the session adds, never the role's own policies. */
export interface SessionClaims<P extends SessionPrincipal = SessionPrincipal> {
  readonly sessionId: string;
  readonly accessKeyId: string;
  /** 32 random bytes from which the secret access key is derived. */
  readonly seed: Uint8Array;
  readonly principal: P;
  /** Seconds since the Unix epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** The inline session policy as the caller sent it. */
  readonly policy?: string;
  /** Managed session policies by ARN. */
  readonly policyArns: readonly string[];
  readonly tags: readonly SessionTag[];
  readonly sourceIdentity?: string;
  /** Time of the MFA authentication, in seconds since the Unix epoch. */
  readonly mfaAuthenticatedAt?: number;
  readonly federation?: SessionFederation;
  /** Names of managed policies from the provider's token. For claim-mode roles only. */
  readonly policyNames?: readonly string[];
  /** The scope-down policies of GetScopedCredentials as their callers sent them, the first one first: one to three. */
  readonly scopeDown?: readonly string[];
  /** The sessions that this one descends from, the nearest one first. Revoking one of them ends this session. */
  readonly ancestors?: readonly SessionAncestor[];
  /**
   * Ids of token keys: that of an opened session's own, and those that sealed its ancestors. It ends when one of them is removed, as
   * whoever has that key may have made an ancestor.
   */
  readonly tokenKeys?: readonly string[];
}

/** Most scope-down policies of a session (AWS STS API Reference, GetScopedCredentials, ScopedPoliciesCount). */
export const maxScopeDownPolicies = 3;

/** The version of claims without scope-down policies, which earlier releases read too. */
const claimsVersion = 1;
/** The version of claims with scope-down policies. Earlier releases would ignore the policies, so they must refuse it. */
const scopedClaimsVersion = 2;

/** The claims as JSON with short names, as they are in a token. */
export function encodeClaims(claims: SessionClaims): string {
  return encodeClaimsInParts(claims).join('');
}

/**
 * The text of {@link encodeClaims} in three parts, which may be of different scripts: what this service writes, the subject,
 * and what the caller passes in. Each is written by itself, so no cut falls within a character.
 */
export function encodeClaimsInParts(claims: SessionClaims): readonly [string, string, string] {
  const written = JSON.stringify({
    v: claims.scopeDown === undefined ? claimsVersion : scopedClaimsVersion,
    id: claims.sessionId,
    ak: claims.accessKeyId,
    sd: Buffer.from(claims.seed).toString('base64url'),
    ...encodePrincipal(claims.principal),
    iat: claims.issuedAt,
    exp: claims.expiresAt,
    si: claims.sourceIdentity,
    ma: claims.mfaAuthenticatedAt,
    an: claims.ancestors && encodeAncestors(claims.ancestors, asAncestor(claims)),
    ks: claims.tokenKeys,
  });
  const passed = JSON.stringify({
    p: claims.policy,
    pa: claims.policyArns,
    pn: claims.policyNames,
    sc: claims.scopeDown,
    t: claims.tags.map(({ key, value, isTransitive }) => [key, value, isTransitive ? 1 : 0]),
  });
  const [voucher, subject] = encodeFederation(claims.federation);
  return [`${written.slice(0, -1)},${voucher}`, subject, passed.slice(1)];
}

/** Reads the form that {@link encodeClaims} writes, strictly. `undefined` for anything else. */
export function decodeClaims(text: string): SessionClaims | undefined {
  const value = parse(text);
  if (value === undefined) return undefined;
  const { v, id, ak, sd, iat, exp, p, pa, t, si, ma, f, pn, sc, an, ks } = value;
  if (v !== (sc === undefined ? claimsVersion : scopedClaimsVersion)) return undefined;
  if (sc !== undefined && !isScopeDown(sc)) return undefined;
  const principal = decodePrincipal(value);
  const seed = typeof sd === 'string' ? Buffer.from(sd, 'base64url') : undefined;
  const tags = decodeTags(t);
  if (!isText(id) || !isText(ak) || principal === undefined) return undefined;
  if (!isTime(iat) || !isTime(exp) || !isOptionalText(p) || !isOptionalText(si)) return undefined;
  const federation = decodeFederation(f);
  if (federation === undefined && f !== undefined) return undefined;
  if (ma !== undefined && !isTime(ma)) return undefined;
  if (pn !== undefined && !isTextList(pn)) return undefined;
  if (ks !== undefined && !isTextList(ks)) return undefined;
  if (seed?.length !== 32 || tags === undefined || !isTextList(pa)) return undefined;
  const claims: SessionClaims = {
    sessionId: id,
    accessKeyId: ak,
    seed: new Uint8Array(seed),
    principal,
    issuedAt: iat,
    expiresAt: exp,
    policyArns: pa,
    tags,
    ...(p === undefined ? {} : { policy: p }),
    ...(si === undefined ? {} : { sourceIdentity: si }),
    ...(ma === undefined ? {} : { mfaAuthenticatedAt: ma }),
    ...(federation === undefined ? {} : { federation }),
    ...(pn === undefined ? {} : { policyNames: pn }),
    ...(sc === undefined ? {} : { scopeDown: sc }),
    ...(ks === undefined ? {} : { tokenKeys: ks }),
  };
  if (an === undefined) return claims;
  const ancestors = decodeAncestors(an, asAncestor(claims));
  return ancestors && { ...claims, ancestors };
}

function encodePrincipal(principal: SessionPrincipal): Record<string, string> {
  switch (principal.kind) {
    case 'role-session':
      return { k: principal.kind, ra: principal.roleArn, ri: principal.roleId, sn: principal.sessionName };
    case 'user-session':
      return { k: principal.kind, ua: principal.userArn, ui: principal.userId };
    case 'federated-user':
      return { k: principal.kind, ua: principal.userArn, ui: principal.userId, sn: principal.name };
  }
}

function decodePrincipal({ k, ra, ri, ua, ui, sn }: Record<string, unknown>): SessionPrincipal | undefined {
  if (k === 'role-session' && isText(ra) && isText(ri) && isText(sn))
    return { kind: k, roleArn: ra, roleId: ri, sessionName: sn };
  if (k === 'user-session' && isText(ua) && isText(ui)) return { kind: k, userArn: ua, userId: ui };
  if (k === 'federated-user' && isText(ua) && isText(ui) && isText(sn))
    return { kind: k, userArn: ua, userId: ui, name: sn };
  return undefined;
}

/** The member `f` and a comma, in two parts: up to the subject, which is the last item of the list, and the rest. */
function encodeFederation(federation: SessionFederation | undefined): readonly [string, string] {
  if (federation === undefined) return ['', ''];
  const { provider, subject, audience, saml } = federation;
  const further = saml === undefined ? [] : [saml.subjectType, saml.nameQualifier];
  const voucher = JSON.stringify([provider, audience, ...further]);
  return [`"f":${voucher.slice(0, -1)},`, `${JSON.stringify(subject)}],`];
}

function decodeFederation(value: unknown): SessionFederation | undefined {
  if (!isTextList(value) || (value.length !== 3 && value.length !== 5)) return undefined;
  const [provider = '', audience = '', ...further] = value;
  const subject = further.pop() ?? '';
  const [subjectType, nameQualifier] = further;
  const common = { provider, subject, audience };
  if (subjectType === undefined || nameQualifier === undefined) return common;
  return { ...common, saml: { subjectType, nameQualifier } };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function isScopeDown(value: unknown): value is string[] {
  return isTextList(value) && value.length > 0 && value.length <= maxScopeDownPolicies;
}

function decodeTags(value: unknown): SessionTag[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const tags: SessionTag[] = [];
  for (const item of value as readonly unknown[]) {
    if (!Array.isArray(item) || item.length !== 3) return undefined;
    const [key, tagValue, flag] = item as readonly unknown[];
    if (!isText(key) || typeof tagValue !== 'string' || (flag !== 0 && flag !== 1)) return undefined;
    tags.push({ key, value: tagValue, isTransitive: flag === 1 });
  }
  return tags;
}
