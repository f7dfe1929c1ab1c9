import type { Secret } from '../core/secret.ts';
import { type PolicyDocument, type PolicyKind, parsePolicyDocument } from '../iam/document.ts';
import { countPolicyCharacters } from '../iam/limits.ts';

/** A checked policy together with the size that counts towards its quota. */
export interface PolicyRecord {
  readonly document: PolicyDocument;
  /** Characters of the compact JSON without white space. */
  readonly characters: number;
}

/** A policy under the name its owner, or the whole directory, knows it by. */
export interface NamedPolicyRecord extends PolicyRecord {
  readonly name: string;
}

/** A long-term access key as configured, its secret already resolved. */
export interface AccessKeyRecord {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
}

/** What users and roles have in common. */
export interface EntityRecord {
  readonly name: string;
  /** Begins and ends with `/`. */
  readonly path: string;
  /** Managed policies by name. */
  readonly policies: readonly string[];
  readonly inlinePolicies: readonly NamedPolicyRecord[];
  /** Name of the managed policy that bounds the permissions. */
  readonly permissionsBoundary?: string;
  readonly tags: ReadonlyMap<string, string>;
}

/**
 * Whether what no identity policy allows is refused (`enforce`) or only recorded (`audit`). Nothing else is ever relaxed.
 */
export type Enforcement = 'enforce' | 'audit';

/** A device that makes one-time codes, its secret already resolved. */
export interface MfaDeviceRecord {
  readonly serialNumber: string;
  /** In base32. */
  readonly totpSecret: Secret;
}

/** A user as configured. */
export interface UserRecord extends EntityRecord {
  readonly accessKeys: readonly AccessKeyRecord[];
  /** None when absent. */
  readonly mfaDevices?: readonly MfaDeviceRecord[];
  /** `AIDA…`; derived from account and name when absent. */
  readonly userId?: string;
}

/** A role as configured. */
export interface RoleRecord extends EntityRecord {
  readonly trustPolicy: PolicyRecord;
  /** 3600 to 31536000. */
  readonly maxSessionDurationSeconds: number;
  /** Replaces the global setting for sessions of this role. */
  readonly enforcement?: Enforcement;
  /** `AROA…`; derived from account and name when absent. */
  readonly roleId?: string;
}

/** How a MinIO-style provider finds the policies of its users. */
export type ProviderRoleMode = 'role-policy' | 'claim' | 'custom-token';

/** The role that everyone of a MinIO-style identity provider acts as; it exists because the provider does. */
export interface ProviderRoleRecord {
  readonly mode: ProviderRoleMode;
  /** The configured name of the provider. */
  readonly provider: string;
  /** What stands in ARNs: the generated id, in claim mode the name of the provider. */
  readonly name: string;
  /** Managed policies by name; none in claim mode, where each session names its own. */
  readonly policies: readonly string[];
  /** Everything that makes the provider this one and no other; the unique id is derived from it. */
  readonly uniqueName: string;
}

/** An identity provider, as sessions and policies name it. */
export interface IdentityProviderRecord {
  /** Its configured name. */
  readonly name: string;
  /** The issuer of its tokens, or the entity id of its assertions. */
  readonly issuer: string;
  /** `arn:…:oidc-provider/…` or `arn:…:saml-provider/…` */
  readonly arn: string;
}

/** The one account that everything belongs to. */
export interface AccountRecord {
  /** Twelve digits. */
  readonly id: string;
  /** `aws`, `aws-cn` or `aws-us-gov`. */
  readonly partition: string;
}

/** Everything the directory is built from. */
export interface DirectoryRecords {
  readonly account: AccountRecord;
  /** Long-term keys of the account's root; usually none. */
  readonly rootAccessKeys: readonly AccessKeyRecord[];
  readonly policies: readonly NamedPolicyRecord[];
  readonly users: readonly UserRecord[];
  readonly roles: readonly RoleRecord[];
  /** Names are unlike each other and unlike those of the roles, ignoring case; none when absent. */
  readonly providerRoles?: readonly ProviderRoleRecord[];
  readonly bucketPolicies: readonly BucketPolicyRecord[];
  /** Those whose sessions say where they came from; none when absent. */
  readonly identityProviders?: readonly IdentityProviderRecord[];
}

/** A policy of ours on a bucket of the store; the store's own bucket policies are the store's. */
export interface BucketPolicyRecord extends PolicyRecord {
  readonly bucket: string;
}

/**
 * Checks a policy that was parsed from JSON or YAML and measures it.
 * @throws PolicyDocumentError with every problem.
 */
export function readPolicyRecord(source: unknown, kind: PolicyKind): PolicyRecord {
  return { document: parsePolicyDocument(source, kind), characters: countPolicyCharacters(source) };
}
