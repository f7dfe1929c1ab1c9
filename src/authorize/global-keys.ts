import type { Asker, Caller, SessionCaller } from '../authenticate/caller.ts';
import { accountOf } from '../core/arn.ts';
import { isoSeconds } from '../core/clock.ts';
import { foldCase } from '../core/fold-case.ts';
import type { RawRequest } from '../core/raw-request.ts';
import type { ContextEntry } from '../iam/key-table.ts';

type SessionClaims = SessionCaller['claims'];
type SessionFederation = NonNullable<SessionClaims['federation']>;

/**
 * The `aws:*` context of a signed request. Every key is listed here; headers, parameters and claims are never copied
 * wholesale. Source: AWS "Global condition context keys".
 */
export function globalKeys(raw: RawRequest, caller: Caller, region: string): ContextEntry[] {
  return [...requestKeys(raw, region), ...callerKeys(caller, Math.floor(raw.receivedAtMs / 1000))];
}

/** {@link globalKeys} or {@link anonymousKeys}. */
export function askersKeys(raw: RawRequest, asker: Asker, region: string): ContextEntry[] {
  return asker.kind === 'anonymous' ? anonymousKeys(raw, region) : globalKeys(raw, asker, region);
}

/** The part of {@link globalKeys} that does not depend on the caller. */
export function requestKeys(raw: RawRequest, region: string): ContextEntry[] {
  const entries: ContextEntry[] = [
    ['aws:CurrentTime', isoSeconds(raw.receivedAtMs)],
    ['aws:EpochTime', String(Math.floor(raw.receivedAtMs / 1000))],
    ['aws:SecureTransport', String(raw.isSecure)],
    ['aws:SourceIp', raw.clientAddress],
    ['aws:RequestedRegion', region],
    ['aws:ViaAWSService', 'false'],
    ['aws:PrincipalIsAWSService', 'false'],
  ];
  const userAgent = raw.headers.get('user-agent');
  const referer = raw.headers.get('referer');
  if (userAgent !== undefined) entries.push(['aws:UserAgent', userAgent]);
  if (referer !== undefined) entries.push(['aws:Referer', referer]);
  return entries;
}

/** The `aws:*` context of an unsigned request (IAM user guide, "Principal key values", anonymous callers). */
export function anonymousKeys(raw: RawRequest, region: string): ContextEntry[] {
  return [...requestKeys(raw, region), ['aws:PrincipalType', 'Anonymous']];
}

function callerKeys(caller: Caller, nowSeconds: number): ContextEntry[] {
  const account = accountOf(caller.arn);
  return [
    ['aws:userid', caller.userId],
    ['aws:PrincipalAccount', account],
    ...[...principalTags(caller)].map(([key, value]): ContextEntry => [`aws:PrincipalTag/${key}`, value]),
    ...principalKeys(caller),
    ...(caller.kind === 'user' || caller.kind === 'root' ? [] : sessionKeys(caller.claims, nowSeconds)),
  ];
}

// Source: IAM user guide, "Principal key values" and "aws:PrincipalType".
function principalKeys(caller: Caller): ContextEntry[] {
  switch (caller.kind) {
    case 'user':
    case 'user-session':
      return [
        ['aws:PrincipalArn', caller.arn],
        ['aws:PrincipalType', 'User'],
        ['aws:username', caller.entity.name],
      ];
    case 'root':
    case 'root-session':
      return [
        ['aws:PrincipalArn', caller.arn],
        ['aws:PrincipalType', 'Account'],
      ];
    case 'federated-user':
      return [
        ['aws:PrincipalArn', caller.arn],
        ['aws:PrincipalType', 'FederatedUser'],
      ];
    case 'role-session':
      return [
        ['aws:PrincipalArn', caller.entity.arn],
        ['aws:PrincipalType', 'AssumedRole'],
      ];
  }
}

function sessionKeys(claims: SessionClaims, nowSeconds: number): ContextEntry[] {
  const { sourceIdentity, issuedAt, federation, mfaAuthenticatedAt } = claims;
  return [
    ['aws:TokenIssueTime', isoSeconds(issuedAt * 1000)],
    ...mfaKeys(mfaAuthenticatedAt, nowSeconds),
    ...(sourceIdentity === undefined ? [] : [['aws:SourceIdentity', sourceIdentity] as const]),
    ...(federation === undefined ? [] : federationKeys(federation)),
  ];
}

// Temporary credentials always have aws:MultiFactorAuthPresent; aws:MultiFactorAuthAge only after MFA.
function mfaKeys(authenticatedAt: number | undefined, nowSeconds: number): ContextEntry[] {
  if (authenticatedAt === undefined) return [['aws:MultiFactorAuthPresent', 'false']];
  const ageSeconds = Math.max(0, nowSeconds - authenticatedAt);
  return [
    ['aws:MultiFactorAuthPresent', 'true'],
    ['aws:MultiFactorAuthAge', String(ageSeconds)],
  ];
}

/**
 * The keys of the federated identity behind a session: the provider, and the subject and audience of a web identity under
 * the provider's prefix (IAM user guide, "Available keys for AWS OIDC federation"), or the subject of a SAML assertion
 * ("Available keys for SAML-based AWS STS federation").
 */
function federationKeys({ provider, subject, audience, saml }: SessionFederation): ContextEntry[] {
  if (saml !== undefined) {
    return [
      ['aws:FederatedProvider', provider],
      ['saml:sub', subject],
      ['saml:sub_type', saml.subjectType],
      ['saml:namequalifier', saml.nameQualifier],
    ];
  }
  const issuer = provider.replace(/^.*?:oidc-provider\//, '');
  return [
    ['aws:FederatedProvider', provider],
    [`${issuer}:sub`, subject],
    [`${issuer}:aud`, audience],
  ];
}

/** The caller's tags by lower-case key. Session tags override those of the user or role. */
function principalTags(caller: Caller): Map<string, string> {
  const tags = new Map<string, string>();
  for (const [key, value] of caller.entity.tags) tags.set(foldCase(key), value);
  if (caller.kind === 'user' || caller.kind === 'root') return tags;
  for (const { key, value } of caller.claims.tags) tags.set(foldCase(key), value);
  return tags;
}
