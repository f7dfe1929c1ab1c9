import { entityName } from '../core/iam-names.ts';
import { withoutScheme } from '../core/issuer.ts';
import { iamArn } from '../directory/managed-policies.ts';
import { canonicalProviderArn, providerRoleArn } from '../directory/provider-role.ts';
import type { DirectoryRecords } from '../directory/records.ts';
import { revocationKey } from './revocation-key.ts';
import type { RevocationProblem, RevocationRecord, RevocationSelector } from './revocation-record.ts';

/** A revocation in the form that is compared with sessions. */
export interface Revocation {
  /** Keys of {@link revocationKey}: a session that has one of them is revoked. */
  readonly keys: readonly string[];
  /** Milliseconds since the Unix epoch. `undefined`: regardless of when the session was issued. */
  readonly issuedBeforeMs: number | undefined;
  /** A warning for the author of the revocation. */
  readonly doubt?: RevocationProblem;
}

/** The form of session ids: 16 bytes in base64url. */
const sessionIdShape = /^[\w-]{22}$/;

/** Existing names, each with its ARNs. */
type Names = Map<string, Set<string>>;

/** Resolves the selectors of revocations. Case is ignored: no two users or roles have names that differ only in case. */
export class RevocationNames {
  readonly #account: DirectoryRecords['account'];
  readonly #roles: Names = new Map();
  readonly #users: Names = new Map();
  readonly #issuers: Names = new Map();

  constructor({ account, users, roles, providerRoles = [], identityProviders = [] }: DirectoryRecords) {
    this.#account = account;
    for (const { path, name } of users) add(this.#users, name, iamArn(account, `user${path}${name}`));
    const root = iamArn(account, 'root');
    add(this.#users, root, root);
    for (const { path, name } of roles) {
      const arn = iamArn(account, `role${path}${name}`);
      add(this.#roles, name, arn);
      add(this.#roles, iamArn({ ...account, id: '' }, `role${path}${name}`), arn);
    }
    for (const role of providerRoles) add(this.#roles, role.name, providerRoleArn(role));
    for (const { name, issuer, arn } of identityProviders) {
      add(this.#issuers, name, arn);
      add(this.#issuers, issuer, arn);
    }
  }

  /** The sessions of a record, or a fault for an unknown name: a misspelled name would revoke nothing. */
  resolve({ selector, issuedBeforeMs }: RevocationRecord): Revocation | RevocationProblem {
    if (selector === undefined) return { keys: [revocationKey.everybody], issuedBeforeMs };
    const keys = this.#keysOf(selector.kind, selector.value);
    if ('message' in keys) return keys;
    const doubt = this.#doubt(selector.kind, selector.value);
    return { keys, issuedBeforeMs, ...(doubt && { doubt }) };
  }

  #doubt(kind: RevocationSelector, value: string): RevocationProblem | undefined {
    if (kind === 'issuer' && find(this.#issuers, value) === undefined)
      return unknown('issuer', value, 'configured identity provider', this.#issuers);
    if (kind === 'sessionId' && !sessionIdShape.test(value))
      return { key: 'sessionId', message: 'no session has an id of this form' };
    return undefined;
  }

  #keysOf(kind: RevocationSelector, value: string): readonly string[] | RevocationProblem {
    switch (kind) {
      case 'sessionId':
        if (/^[\x21-\x7e]+$/.test(value) && !/^A[KS]IA[A-Z2-7]{16}$/.test(value))
          return [revocationKey.session(value)];
        return { key: kind, message: 'must be a session_id from the log, not an access key id' };
      case 'role':
        return (
          keys(find(this.#roles, value), revocationKey.role) ?? unknown(kind, value, 'role', this.#roles)
        );
      case 'roleSession': {
        const slash = value.lastIndexOf('/');
        const [role, session] = [value.slice(0, Math.max(slash, 0)), value.slice(slash + 1)];
        if (role === '' || !entityName.test(session))
          return { key: kind, message: 'must be RoleName/SessionName' };
        const toKey = (arn: string): string => revocationKey.roleSession(arn, session);
        return keys(find(this.#roles, role), toKey) ?? unknown(kind, role, 'role', this.#roles);
      }
      case 'user':
        return (
          keys(find(this.#users, value), revocationKey.user) ?? unknown(kind, value, 'user', this.#users)
        );
      case 'issuer':
        return this.#issuerKeys(value) ?? unknown(kind, value, 'identity provider', this.#issuers);
    }
  }

  // The provider may have been removed from the configuration. Its sessions live on, which is a reason to revoke them.
  #issuerKeys(value: string): readonly string[] | undefined {
    const known = keys(find(this.#issuers, value), revocationKey.provider);
    if (known !== undefined) return known;
    if (/^arn:[\w-]+:iam::\d{12}:(?:oidc|saml)-provider\/[\x21-\x7e]+$/.test(value))
      return [revocationKey.provider(value)];
    if (!/^https?:\/\/[\x21-\x7e]+$/.test(value)) return undefined;
    return [revocationKey.provider(iamArn(this.#account, `oidc-provider/${withoutScheme(value)}`))];
  }
}

function add(names: Names, name: string, arn: string): void {
  for (const known of [name.toLowerCase(), arn.toLowerCase()]) {
    const arns = names.get(known) ?? new Set();
    names.set(known, arns.add(arn));
  }
}

function find(names: Names, name: string): ReadonlySet<string> | undefined {
  return names.get((canonicalProviderArn(name) ?? name).toLowerCase());
}

function keys(
  arns: ReadonlySet<string> | undefined,
  toKey: (arn: string) => string,
): readonly string[] | undefined {
  return arns && [...arns].map(toKey);
}

function unknown(key: RevocationSelector, name: string, what: string, names: Names): RevocationProblem {
  return { key, message: `no ${what} has this name`, unknownName: { name, known: [...names.keys()] } };
}
