import { entityName, nameCharacters } from '../core/iam-names.ts';
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

/** What follows `role/` or `user/` in an ARN (AWS IAM API Reference, Path and RoleName). */
const pathAndName = new RegExp(`^(?:[\\x21-\\x7e]{1,510}/)?[${nameCharacters}]{1,64}$`);

/** What a selector names. */
type Named = Pick<Revocation, 'keys' | 'doubt'>;

/** A role or user as it is named, and by which selector. */
interface Wanted {
  readonly kind: RevocationSelector;
  readonly value: string;
  readonly type: 'role' | 'user';
}

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

  /**
   * The sessions of a record, or a fault for an unknown name: a misspelled name would revoke nothing. A role or user that is named
   * by its whole ARN may be gone: sessions that descend from its sessions live on, which is a reason to revoke them.
   */
  resolve({ selector, issuedBeforeMs }: RevocationRecord): Revocation | RevocationProblem {
    if (selector === undefined) return { keys: [revocationKey.everybody], issuedBeforeMs };
    const named = this.#find(selector.kind, selector.value);
    return 'message' in named ? named : { ...named, issuedBeforeMs };
  }

  #find(kind: RevocationSelector, value: string): Named | RevocationProblem {
    switch (kind) {
      case 'sessionId':
        return findSession(value);
      case 'role':
        return this.#findRole(kind, value, revocationKey.role);
      case 'roleSession': {
        const slash = value.lastIndexOf('/');
        const [role, session] = [value.slice(0, Math.max(slash, 0)), value.slice(slash + 1)];
        // The ARN of a role looks like one of another role with a session.
        if (role === '' || !entityName.test(session) || find(this.#roles, value) !== undefined)
          return { key: kind, message: 'must be RoleName/SessionName' };
        return this.#findRole(kind, role, (arn) => revocationKey.roleSession(arn, session));
      }
      case 'user':
        return (
          known(find(this.#users, value), revocationKey.user) ??
          this.#gone({ kind, value, type: 'user' }, this.#users, revocationKey.user) ??
          this.#unknown({ kind, value, type: 'user' }, this.#users)
        );
      case 'issuer':
        return this.#findIssuer(value) ?? unknown(kind, value, 'identity provider', this.#issuers);
    }
  }

  #findRole(
    kind: RevocationSelector,
    value: string,
    toKey: (arn: string) => string,
  ): Named | RevocationProblem {
    return (
      known(find(this.#roles, value), toKey) ??
      this.#gone({ kind, value, type: 'role' }, this.#roles, toKey) ??
      this.#unknown({ kind, value, type: 'role' }, this.#roles)
    );
  }

  /** A role or user that is named by its whole ARN, path included, may have been deleted. */
  #gone({ kind, value, type }: Wanted, names: Names, toKey: (arn: string) => string): Named | undefined {
    const arn = canonicalProviderArn(value) ?? value;
    const prefixes = [
      iamArn(this.#account, `${type}/`),
      ...(type === 'role' ? ['arn:minio:iam:::role/'] : []),
    ];
    const prefix = prefixes.find((one) => arn.startsWith(one));
    if (prefix === undefined || !pathAndName.test(arn.slice(prefix.length))) return undefined;
    // An assumed-role ARN has no path, so the ARN that an author makes of it may lack one.
    const [existing] = find(names, arn.slice(arn.lastIndexOf('/') + 1)) ?? [];
    const other = existing === undefined ? '' : `; the sessions of ${existing} go on`;
    const message = `no ${type} has this ARN: it ends what descends from a deleted one that had exactly this ARN${other}`;
    return { keys: [toKey(arn)], doubt: { key: kind, message } };
  }

  /** A name alone does not say which path a deleted role or user had. */
  #unknown({ kind, value, type }: Wanted, names: Names): RevocationProblem {
    const example = iamArn(this.#account, `${type}/…`);
    const hint = `: a deleted one is named by its whole ARN, ${example}`;
    return { ...unknown(kind, value, type, names), hint };
  }

  // The provider may have been removed from the configuration. Its sessions live on, which is a reason to revoke them.
  #findIssuer(value: string): Named | undefined {
    const configured = known(find(this.#issuers, value), revocationKey.provider);
    if (configured !== undefined) return configured;
    const doubt = unknown('issuer', value, 'configured identity provider', this.#issuers);
    if (/^arn:[\w-]+:iam::\d{12}:(?:oidc|saml)-provider\/[\x21-\x7e]+$/.test(value))
      return { keys: [revocationKey.provider(value)], doubt };
    if (!/^https?:\/\/[\x21-\x7e]+$/.test(value)) return undefined;
    const arn = iamArn(this.#account, `oidc-provider/${withoutScheme(value)}`);
    return { keys: [revocationKey.provider(arn)], doubt };
  }
}

function findSession(value: string): Named | RevocationProblem {
  if (!/^[\x21-\x7e]+$/.test(value) || /^A[KS]IA[A-Z2-7]{16}$/.test(value))
    return { key: 'sessionId', message: 'must be a session_id from the log, not an access key id' };
  const keys = [revocationKey.session(value)];
  if (sessionIdShape.test(value)) return { keys };
  return { keys, doubt: { key: 'sessionId', message: 'no session has an id of this form' } };
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

function known(arns: ReadonlySet<string> | undefined, toKey: (arn: string) => string): Named | undefined {
  return arns && { keys: [...arns].map(toKey) };
}

function unknown(key: RevocationSelector, name: string, what: string, names: Names): RevocationProblem {
  return { key, message: `no ${what} has this name`, unknownName: { name, known: [...names.keys()] } };
}
