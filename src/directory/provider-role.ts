import { longestSessionSeconds } from '../core/iam-names.ts';
import { compilePolicy } from '../iam/compile.ts';
import { parsePolicyDocument } from '../iam/document.ts';
import type { ManagedPolicies } from './managed-policies.ts';
import type { AccountRecord, ProviderRoleRecord } from './records.ts';
import type { Role } from './role.ts';
import { deriveUniqueId } from './unique-id.ts';

// Only its provider's own action issues sessions of such a role. Actions that evaluate trust policies never do.
const trustsNobody = {
  Version: '2012-10-17',
  Statement: [{ Sid: 'ProviderOnly', Effect: 'Deny', Principal: '*', Action: 'sts:*' }],
};

/**
 * The role ARN that clients of a MinIO-style provider must name. For an OpenID Connect client id it contains the region, as in
 * MinIO. ARNs are compared without the region.
 */
export function providerRoleArn({ name, mode }: ProviderRoleRecord, region = ''): string {
  // A claim-mode role has the name of its provider. The path keeps it apart from the ids that are digests.
  const path = mode === 'claim' ? 'claims/' : '';
  return `arn:minio:iam:${mode === 'role-policy' ? region : ''}::role/${path}${name}`;
}

const generatedArn = /^arn:minio:iam:[^:]*::(role\/.+)$/;

/** A generated role ARN without its region; `undefined` for other ARNs. */
export function canonicalProviderArn(arn: string): string | undefined {
  const [, resource] = generatedArn.exec(arn) ?? [];
  return resource === undefined ? undefined : `arn:minio:iam:::${resource}`;
}

/**
 * Builds the role of all users of a MinIO-style provider. Its unique id is derived from the whole provider, so that sessions
 * never pass to another provider with the same name.
 */
export function buildProviderRole(
  record: ProviderRoleRecord,
  account: AccountRecord,
  managed: ManagedPolicies,
): Role {
  const { name, mode, provider, policies } = record;
  return Object.freeze({
    kind: 'role',
    name,
    path: '/',
    account,
    arn: providerRoleArn(record),
    roleId: deriveUniqueId('AROA', account, `identity-provider\n${record.uniqueName}`),
    provider: Object.freeze({ name: provider, mode }),
    trustPolicy: compilePolicy(parsePolicyDocument(trustsNobody, 'trust'), 'trust policy'),
    policies: policies.map((policy) => managed.require(policy)),
    maxSessionDurationSeconds: longestSessionSeconds,
    enforcement: undefined,
    tags: new Map(),
  });
}

/** A copy of a claim-mode role with the policies of one session. Names that no longer exist are left out. */
export function withNamedPolicies(role: Role, names: readonly string[], managed: ManagedPolicies): Role {
  const { kind, name, path, account, arn, roleId, provider, trustPolicy, tags } = role;
  return {
    kind,
    name,
    path,
    account,
    arn,
    roleId,
    provider,
    trustPolicy,
    policies: names.flatMap((policy) => managed.byName(policy) ?? []),
    maxSessionDurationSeconds: role.maxSessionDurationSeconds,
    enforcement: role.enforcement,
    tags,
  };
}
