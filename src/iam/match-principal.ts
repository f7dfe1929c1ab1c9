import { parseArn } from '../core/arn.ts';
import { isMapping } from '../core/mapping.ts';
import { quoted, type Report } from './problem.ts';
import type { PolicyPrincipal } from './query.ts';

/**
 * How closely a Principal element names the caller. `direct` grants by itself; `entity` names the role or user
 * behind a session; `account` only delegates to the account's own policies.
 */
export type PrincipalLevel = 'none' | 'account' | 'entity' | 'direct';

/** One value of a Principal element. */
export type PrincipalEntry =
  | { readonly type: 'everyone' }
  | { readonly type: 'account'; readonly accountId: string }
  | { readonly type: 'arn'; readonly arn: string }
  | { readonly type: 'federated'; readonly provider: string }
  | { readonly type: 'service'; readonly name: string };

const accountId = /^[0-9]{12}$/;
const entityPath = /^[\x21-\x7e]+$/;
const iamEntity = /^(?:user|role)\/./;
const stsEntity = /^(?:assumed-role\/[^/]+\/[^/]+|federated-user\/[^/]+)$/;
const providerPath = /^(?:oidc|saml)-provider\/./;
const serviceName = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i;

/**
 * Reads `"*"` or an object of `AWS`, `Federated` and `Service` lists (IAM JSON policy elements: Principal). Reports
 * every problem. `CanonicalUser` is refused: canonical ids are unknown here, and a Deny that names one would be lost.
 * `Federated` is refused in a bucket policy: requests to S3 come from sessions, named by the ARN of the role or session.
 */
export function parsePrincipals(source: unknown, isBucketPolicy: boolean, report: Report): PrincipalEntry[] {
  if (source === '*') return [{ type: 'everyone' }];
  if (!isMapping(source)) {
    report('must be "*" or an object with AWS, Federated or Service');
    return [];
  }
  const entries: PrincipalEntry[] = [];
  for (const [type, values] of Object.entries(source)) {
    const list = Array.isArray(values) ? values : [values];
    if (list.length === 0) report(`${quoted(type)} must not be an empty list`);
    for (const value of list) {
      const entry = parseEntry(type, value, isBucketPolicy, report);
      if (entry !== undefined) entries.push(entry);
    }
  }
  if (Object.keys(source).length === 0) report('must name a principal');
  return entries;
}

function parseEntry(
  type: string,
  value: unknown,
  isBucketPolicy: boolean,
  report: Report,
): PrincipalEntry | undefined {
  if (type !== 'AWS' && type !== 'Federated' && type !== 'Service') {
    report(`${quoted(type)} is not a supported type of principal: expected AWS, Federated or Service`);
    return undefined;
  }
  if (typeof value !== 'string') {
    report(`${type} must be a string or a list of strings`);
    return undefined;
  }
  if (type === 'AWS') return parseAwsEntry(value, report);
  if (type === 'Service') {
    if (serviceName.test(value)) return { type: 'service', name: value };
    report(`${quoted(value)} is not a service principal`);
    return undefined;
  }
  if (isBucketPolicy) {
    report(
      'Federated matches no caller of S3: a bucket policy names sessions by the ARN of their role, or by their own',
    );
    return undefined;
  }
  const arn = parsePlainArn(value);
  if (arn?.service === 'iam' && providerPath.test(arn.resource))
    return { type: 'federated', provider: value };
  report(`${quoted(value)} is not the ARN of an oidc-provider or saml-provider`);
  return undefined;
}

function parseAwsEntry(value: string, report: Report): PrincipalEntry | undefined {
  if (value === '*') return { type: 'everyone' };
  if (accountId.test(value)) return { type: 'account', accountId: value };
  if (value.includes('*') || value.includes('?')) {
    report(`${quoted(value)} has a wildcard: a principal is either "*" or named in full`);
    return undefined;
  }
  const arn = parsePlainArn(value);
  if (arn?.service === 'iam' && arn.resource === 'root') return { type: 'account', accountId: arn.account };
  if (arn?.service === 'iam' && iamEntity.test(arn.resource)) return { type: 'arn', arn: value };
  if (arn?.service === 'sts' && stsEntity.test(arn.resource)) return { type: 'arn', arn: value };
  report(`${quoted(value)} is not an account id or the ARN of an account, user, role or session`);
  return undefined;
}

/** An ARN with an account, without region, wildcard or variable. */
function parsePlainArn(value: string): { service: string; account: string; resource: string } | undefined {
  const arn = parseArn(value);
  const isPlain = entityPath.test(value) && !/[*?]|\$\{/.test(value);
  return isPlain && arn?.region === '' && accountId.test(arn.account) ? arn : undefined;
}

/** Returns the level at which a Principal element names a caller. */
export type PrincipalTest = (principal: PolicyPrincipal) => PrincipalLevel;

/**
 * Compiles a Principal element. An Allow for `*` never admits a web-identity or SAML caller: its provider must be named. A
 * Deny for `*` applies to them.
 */
export function compilePrincipals(
  entries: readonly PrincipalEntry[],
  effect: 'Allow' | 'Deny',
): PrincipalTest {
  const namesEveryone = entries.some(({ type }) => type === 'everyone');
  const arns = new Set(entries.flatMap((entry) => (entry.type === 'arn' ? [entry.arn] : [])));
  const accounts = new Set(entries.flatMap((entry) => (entry.type === 'account' ? [entry.accountId] : [])));
  const providers = new Set(entries.flatMap((entry) => (entry.type === 'federated' ? [entry.provider] : [])));
  return (principal) => {
    switch (principal.kind) {
      case 'anonymous':
        return namesEveryone ? 'direct' : 'none';
      case 'web-identity':
      case 'saml': {
        if (namesEveryone && effect === 'Deny') return 'direct';
        const { federatedProvider } = principal;
        return federatedProvider !== undefined && providers.has(federatedProvider) ? 'direct' : 'none';
      }
      case 'root':
      case 'user':
        if (namesEveryone || arns.has(principal.arn)) return 'direct';
        break;
      case 'role-session':
      case 'federated-user':
        if (namesEveryone || arns.has(principal.arn)) return 'direct';
        if (principal.entityArn !== undefined && arns.has(principal.entityArn)) return 'entity';
        break;
    }
    return accounts.has(principal.accountId) ? 'account' : 'none';
  };
}

/**
 * Compiles the NotPrincipal element of a Deny. It exempts a user, role or session whose own ARN is listed, and root when
 * its account is listed. A listed account exempts no other caller. A caller with a permissions boundary is never exempt
 * (IAM JSON policy elements: NotPrincipal).
 */
export function compileNotPrincipals(entries: readonly PrincipalEntry[]): PrincipalTest {
  const arns = new Set(entries.flatMap((entry) => (entry.type === 'arn' ? [entry.arn] : [])));
  const accounts = new Set(entries.flatMap((entry) => (entry.type === 'account' ? [entry.accountId] : [])));
  return ({ kind, accountId, arn, entityArn, isBounded }) => {
    if (isBounded === true) return 'direct';
    const isListed = arns.has(arn) || (entityArn !== undefined && arns.has(entityArn));
    return isListed || (kind === 'root' && accounts.has(accountId)) ? 'none' : 'direct';
  };
}
