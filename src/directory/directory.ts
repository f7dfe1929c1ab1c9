/*
 * This folder owns users, roles, access keys and policies.
 * In: `DirectoryRecords` from the configuration or a test. Out: an immutable `Directory` of compiled policies.
 * It never reads a file, verifies a signature or decides a request.
 */

import { type Steps, takeAll } from '../core/steps.ts';
import { type CompiledPolicy, compilePolicy } from '../iam/compile.ts';
import type { AccessKey } from './access-key.ts';
import { checkRecords } from './check-records.ts';
import { compileManagedPolicies, iamArn, type ManagedPolicies } from './managed-policies.ts';
import { buildProviderRole, canonicalProviderArn, withNamedPolicies } from './provider-role.ts';
import type { AccessKeyRecord, AccountRecord, DirectoryRecords } from './records.ts';
import { buildRole, type Role } from './role.ts';
import { buildRoot, type Root } from './root.ts';
import { buildUser, type User } from './user.ts';

/** Numbers of policies, by the kind in the gauge `sts_sidecar_policies`. */
interface PolicyCounts {
  readonly managed: number;
  /** Inline policies of users and roles. */
  readonly inline: number;
  readonly trust: number;
  readonly bucket: number;
}

/** The users, roles, keys and policies. Immutable, so that a request sees one consistent state. */
export interface Directory {
  readonly account: AccountRecord;
  readonly policyCounts: PolicyCounts;
  /** The account's root; `undefined` when it has no access key. */
  readonly root: Root | undefined;
  /** A long-term access key by its exact id. */
  accessKey(accessKeyId: string): AccessKey | undefined;
  /** A user by its exact ARN. */
  userByArn(arn: string): User | undefined;
  /**
   * A role by its exact ARN, or by the same ARN without the account id. A provider's role by its generated ARN, in any region.
   * From then on, use the ARN of the role that was found.
   */
  role(roleArn: string): Role | undefined;
  /** The role of the claim-mode provider, if there is one. By itself it allows nothing. */
  readonly claimRole: Role | undefined;
  /** A copy of a claim-mode role with the named managed policies that exist. */
  withNamedPolicies(role: Role, policyNames: readonly string[]): Role;
  /** A managed policy by its exact ARN. It may serve as identity policy, session policy or boundary. */
  managedPolicy(arn: string): CompiledPolicy | undefined;
  /** True when a managed policy has exactly this name. */
  isPolicyName(name: string): boolean;
  /** The bucket policy of this service for a bucket, by its exact name. */
  bucketPolicy(bucket: string): CompiledPolicy | undefined;
}

/**
 * Compiles the records into a directory.
 * @throws Error for records that {@link checkRecords} refuses; the configuration reports those first, with their positions
 */
export function buildDirectory(records: DirectoryRecords): Directory {
  return takeAll(buildInSteps(records));
}

/** The same as {@link buildDirectory}, record by record. */
export function* buildInSteps(records: DirectoryRecords): Steps<Directory> {
  const { account } = records;
  refuseProblems(records);
  yield;
  const managed = yield* compileManagedPolicies(account, records.policies);
  const users = new Map<string, User>();
  const accessKeys = new Map<string, AccessKey>();
  const root = records.rootAccessKeys.length === 0 ? undefined : buildRoot(account);
  if (root !== undefined) addKeys(accessKeys, records.rootAccessKeys, root);
  for (const record of records.users) {
    const owner = buildUser(record, account, managed);
    users.set(owner.arn, owner);
    addKeys(accessKeys, record.accessKeys, owner);
    yield;
  }
  const roles = new Map<string, Role>();
  for (const record of records.roles) {
    const role = buildRole(record, account, managed);
    roles.set(role.arn, role);
    roles.set(iamArn({ ...account, id: '' }, `role${role.path}${role.name}`), role);
    yield;
  }
  addProviderRoles(roles, records, managed);
  const bucketPolicies = new Map<string, CompiledPolicy>();
  for (const { bucket, document } of records.bucketPolicies) {
    bucketPolicies.set(bucket, compilePolicy(document, `bucket policy of ${bucket}`));
    yield;
  }
  return Object.freeze({
    account: Object.freeze({ ...account }),
    policyCounts: countPolicies(records),
    root,
    accessKey: (id: string) => accessKeys.get(id),
    userByArn: (arn: string) => users.get(arn),
    role: (arn: string) => roles.get(arn) ?? roles.get(canonicalProviderArn(arn) ?? ''),
    claimRole: [...roles.values()].find(({ provider }) => provider?.mode === 'claim'),
    withNamedPolicies: (role: Role, names: readonly string[]) => withNamedPolicies(role, names, managed),
    managedPolicy: (arn: string) => managed.byArn(arn),
    isPolicyName: (name: string) => managed.byName(name) !== undefined,
    bucketPolicy: (bucket: string) => bucketPolicies.get(bucket),
  });
}

function addKeys(
  keys: Map<string, AccessKey>,
  records: readonly AccessKeyRecord[],
  owner: AccessKey['owner'],
): void {
  for (const { accessKeyId, secretAccessKey } of records) {
    keys.set(accessKeyId, Object.freeze({ accessKeyId, secretAccessKey, owner }));
  }
}

function addProviderRoles(
  roles: Map<string, Role>,
  { account, providerRoles = [] }: DirectoryRecords,
  managed: ManagedPolicies,
): void {
  const names = new Set([...roles.values()].map(({ name }) => name.toLowerCase()));
  for (const record of providerRoles) {
    const role = buildProviderRole(record, account, managed);
    // INVARIANT: the configuration excludes this. Two roles of one name would have the same session ARNs.
    if (names.has(role.name.toLowerCase())) throw new Error(`two roles are named ${role.name}`);
    names.add(role.name.toLowerCase());
    roles.set(role.arn, role);
  }
}

function refuseProblems(records: DirectoryRecords): void {
  const { partition } = records.account;
  const policyNames = records.policies.map(({ name }) => name);
  const problems = checkRecords({ ...records, partition, policyNames });
  if (problems.length === 0) return;
  const lines = problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`directory records are inconsistent: ${lines.join('; ')}`);
}

function countPolicies({ policies, users, roles, bucketPolicies }: DirectoryRecords): PolicyCounts {
  const inline = [...users, ...roles].reduce((sum, { inlinePolicies }) => sum + inlinePolicies.length, 0);
  return Object.freeze({
    managed: policies.length,
    inline,
    trust: roles.length,
    bucket: bucketPolicies.length,
  });
}
