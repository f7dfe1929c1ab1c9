import { formatArn } from '../core/arn.ts';
import type { Steps } from '../core/steps.ts';
import { type CompiledPolicy, compilePolicy } from '../iam/compile.ts';
import type { AccountRecord, EntityRecord, NamedPolicyRecord } from './records.ts';

/** The managed policies of a directory. Each is compiled once and shared by all users and roles. */
export interface ManagedPolicies {
  byName(name: string): CompiledPolicy | undefined;
  byArn(arn: string): CompiledPolicy | undefined;
  /**
   * The policy with a known name.
   * @throws Error when there is none
   */
  require(name: string): CompiledPolicy;
}

/**
 * Compiles every managed policy under its ARN. Identity, session and boundary policies are evaluated alike, so one compiled
 * policy serves as all three.
 */
export function* compileManagedPolicies(
  account: AccountRecord,
  records: readonly NamedPolicyRecord[],
): Steps<ManagedPolicies> {
  const names = new Map<string, CompiledPolicy>();
  const arns = new Map<string, CompiledPolicy>();
  for (const { name, document } of records) {
    const arn = iamArn(account, `policy/${name}`);
    const policy = compilePolicy(document, arn);
    names.set(name, policy);
    arns.set(arn, policy);
    yield;
  }
  return {
    byName: (name) => names.get(name),
    byArn: (arn) => arns.get(arn),
    require: (name) => {
      const policy = names.get(name);
      // INVARIANT: the records were checked. Skipping an unknown policy could drop a Deny or a boundary.
      if (policy === undefined) throw new Error(`no managed policy is named ${name}`);
      return policy;
    },
  };
}

/** The ARN of an IAM resource: IAM is global, so it has no region. */
export function iamArn(account: AccountRecord, resource: string): string {
  return formatArn({
    partition: account.partition,
    service: 'iam',
    region: '',
    account: account.id,
    resource,
  });
}

/** The compiled policies of a user or role. */
export interface AttachedPolicies {
  /** Inline policies, then managed ones. */
  readonly policies: readonly CompiledPolicy[];
  readonly boundary?: CompiledPolicy;
}

/**
 * Compiles inline policies and looks up managed ones.
 * @throws Error for an unknown name
 */
export function attachPolicies(record: EntityRecord, managed: ManagedPolicies): AttachedPolicies {
  const inline = record.inlinePolicies.map(({ name, document }) => compilePolicy(document, name));
  const policies = [...inline, ...record.policies.map((name) => managed.require(name))];
  const { permissionsBoundary } = record;
  return permissionsBoundary === undefined
    ? { policies }
    : { policies, boundary: managed.require(permissionsBoundary) };
}
