import type { CompiledPolicy } from '../iam/compile.ts';
import { attachPolicies, iamArn, type ManagedPolicies } from './managed-policies.ts';
import type { AccountRecord, MfaDeviceRecord, UserRecord } from './records.ts';
import { deriveUniqueId } from './unique-id.ts';

/** A user with compiled policies. */
export interface User {
  readonly kind: 'user';
  readonly name: string;
  /** Begins and ends with `/`. */
  readonly path: string;
  /** `arn:<partition>:iam::<account>:user<path><name>` */
  readonly arn: string;
  /** `AIDA…` */
  readonly userId: string;
  /** Inline and managed policies. */
  readonly policies: readonly CompiledPolicy[];
  /** The permissions boundary; `undefined` when there is none. */
  readonly boundary?: CompiledPolicy;
  readonly tags: ReadonlyMap<string, string>;
  readonly mfaDevices: readonly MfaDevice[];
}

/** A TOTP device. */
export type MfaDevice = MfaDeviceRecord;

/** Builds the user of a record. */
export function buildUser(record: UserRecord, account: AccountRecord, managed: ManagedPolicies): User {
  const { name, path, tags } = record;
  return Object.freeze({
    kind: 'user',
    name,
    path,
    arn: iamArn(account, `user${path}${name}`),
    userId: record.userId ?? deriveUniqueId('AIDA', account, name),
    ...attachPolicies(record, managed),
    tags,
    mfaDevices: record.mfaDevices ?? [],
  });
}
