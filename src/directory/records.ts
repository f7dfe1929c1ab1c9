import type { Secret } from '../core/secret.ts';
import { type PolicyDocument, type PolicyKind, parsePolicyDocument } from '../iam/document.ts';
import { countPolicyCharacters } from '../iam/limits.ts';

/** A checked policy, with the size that counts towards its quota. */
export interface PolicyRecord {
  readonly document: PolicyDocument;
  /** Characters of the compact JSON without white space. */
  readonly characters: number;
}

/** A named policy: inline, or managed. */
export interface NamedPolicyRecord extends PolicyRecord {
  readonly name: string;
}

/** A configured long-term access key, with its secret resolved. */
export interface AccessKeyRecord {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
}

/** The common part of users and roles. */
export interface EntityRecord {
  readonly name: string;
  /** Begins and ends with `/`. */
  readonly path: string;
  /** Managed policies by name. */
  readonly policies: readonly string[];
  readonly inlinePolicies: readonly NamedPolicyRecord[];
  /** Name of the managed policy that is the permissions boundary. */
  readonly permissionsBoundary?: string;
  readonly tags: ReadonlyMap<string, string>;
}

/**
 * Whether requests that no identity policy allows are refused (`enforce`) or only recorded (`audit`). Nothing else is ever
 * relaxed.
 */
export type Enforcement = 'enforce' | 'audit';

/** A TOTP device, with its secret resolved. */
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

/** How the policies of a MinIO-style provider's users are found. */
export type ProviderRoleMode = 'role-policy' | 'claim' | 'custom-token';

/** The generated role of all users of a MinIO-style identity provider. */
export interface ProviderRoleRecord {
  readonly mode: ProviderRoleMode;
  /** The configured name of the provider. */
  readonly provider: string;
  /** The name in ARNs: the generated id, or in claim mode the name of the provider. */
  readonly name: string;
  /** Names of managed policies; none in claim mode, where each session names its own. */
  readonly policies: readonly string[];
  /** Identifies the provider. The unique id of the role is derived from it. */
  readonly uniqueName: string;
}

/** An identity provider, as sessions and policies refer to it. */
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
  /** Names are unique, also among roles, compared without case. None when absent. */
  readonly providerRoles?: readonly ProviderRoleRecord[];
  readonly bucketPolicies: readonly BucketPolicyRecord[];
  /** The providers that sessions refer to; none when absent. */
  readonly identityProviders?: readonly IdentityProviderRecord[];
}

/** A bucket policy of this service. Bucket policies of the store itself are a separate matter. */
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
