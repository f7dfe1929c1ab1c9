import { type CompiledPolicy, compilePolicy } from '../iam/compile.ts';
import { attachPolicies, iamArn, type ManagedPolicies } from './managed-policies.ts';
import type { AccountRecord, Enforcement, ProviderRoleMode, RoleRecord } from './records.ts';
import { deriveUniqueId } from './unique-id.ts';

/** A role with compiled policies. */
export interface Role {
  readonly kind: 'role';
  readonly name: string;
  /** Begins and ends with `/`. */
  readonly path: string;
  /** The name in the ARNs of its sessions. */
  readonly account: AccountRecord;
  /** `arn:<partition>:iam::<account>:role<path><name>`; of a provider's role `arn:minio:iam:::role/…` */
  readonly arn: string;
  /** `AROA…` */
  readonly roleId: string;
  /** The identity provider that the role belongs to; `undefined` for a role of the directory. */
  readonly provider: { readonly name: string; readonly mode: ProviderRoleMode } | undefined;
  readonly trustPolicy: CompiledPolicy;
  /** Inline and managed policies. */
  readonly policies: readonly CompiledPolicy[];
  /** The permissions boundary; `undefined` when there is none. */
  readonly boundary?: CompiledPolicy;
  readonly maxSessionDurationSeconds: number;
  /** `undefined`: the global setting applies. */
  readonly enforcement: Enforcement | undefined;
  readonly tags: ReadonlyMap<string, string>;
}

/** Builds the role of a record. */
export function buildRole(record: RoleRecord, account: AccountRecord, managed: ManagedPolicies): Role {
  const { name, path, tags, maxSessionDurationSeconds } = record;
  return Object.freeze({
    kind: 'role',
    name,
    path,
    account,
    arn: iamArn(account, `role${path}${name}`),
    roleId: record.roleId ?? deriveUniqueId('AROA', account, name),
    provider: undefined,
    trustPolicy: compilePolicy(record.trustPolicy.document, 'trust policy'),
    ...attachPolicies(record, managed),
    maxSessionDurationSeconds,
    enforcement: record.enforcement,
    tags,
  });
}
