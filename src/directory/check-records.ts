import { foldCase } from '../core/fold-case.ts';
import { policyCharacterLimits } from '../iam/limits.ts';
import { mayMatchBucket } from '../iam/match-resource.ts';
import type {
  AccessKeyRecord,
  BucketPolicyRecord,
  EntityRecord,
  NamedPolicyRecord,
  RoleRecord,
  UserRecord,
} from './records.ts';

/** A fault that only a comparison of records reveals. */
export interface RecordProblem {
  /** Position in the records, for example `['users', 1, 'policies', 0]`. */
  readonly path: readonly (string | number)[];
  /** The problem, in lower case and without a final period. */
  readonly message: string;
  /** An unknown name, with the existing names, for a suggestion. */
  readonly unknownName?: { readonly name: string; readonly known: readonly string[] };
}

/** A role, whose trust policy may be unreadable. */
export type RoleDraft = Omit<RoleRecord, 'trustPolicy'> & Partial<Pick<RoleRecord, 'trustPolicy'>>;

/** Partly read records. An unreadable entry is `undefined` and keeps its position. */
export interface DirectoryDraft {
  /** The partition of the account's ARNs; `undefined` when the account is unreadable. */
  readonly partition: string | undefined;
  /** Names of all managed policies, unreadable ones included. */
  readonly policyNames: readonly string[];
  readonly policies: readonly NamedPolicyRecord[];
  readonly rootAccessKeys: readonly AccessKeyRecord[];
  readonly users: readonly (UserRecord | undefined)[];
  readonly roles: readonly (RoleDraft | undefined)[];
  readonly bucketPolicies: readonly BucketPolicyRecord[];
}

type Path = readonly (string | number)[];
type Report = (path: Path, message: string, unknownName?: RecordProblem['unknownName']) => void;

/**
 * Finds the faults that only a comparison of records reveals: repeated names, access keys and unique ids, unknown managed
 * policies, and exceeded quotas of managed and inline policies (IAM and STS quotas).
 */
export function checkRecords(draft: DirectoryDraft): RecordProblem[] {
  const problems: RecordProblem[] = [];
  const report: Report = (path, message, unknownName) => {
    problems.push(unknownName === undefined ? { path, message } : { path, message, unknownName });
  };
  checkManagedPolicies(draft, report);
  checkDistinct(
    places(draft.users, 'users', 'name', ({ name }) => name),
    'a user',
    report,
  );
  checkDistinct(
    places(draft.roles, 'roles', 'name', ({ name }) => name),
    'a role',
    report,
  );
  checkDistinct(
    places(draft.users, 'users', 'userId', ({ userId }) => userId),
    'a unique id',
    report,
  );
  checkDistinct(
    places(draft.roles, 'roles', 'roleId', ({ roleId }) => roleId),
    'a unique id',
    report,
  );
  checkAccessKeys(draft, report);
  checkDistinct(serialNumbers(draft.users), 'an MFA device', report);
  checkBucketPolicies(draft, report);
  const known: ReadonlySet<string> = new Set(draft.policyNames);
  for (const [kind, entities, limit] of [
    ['users', draft.users, policyCharacterLimits.inlinePerUser],
    ['roles', draft.roles, policyCharacterLimits.inlinePerRole],
  ] as const) {
    for (const [index, entity] of entities.entries()) {
      if (entity === undefined) continue;
      checkAttachments(entity, known, [kind, index], report);
      checkInlineSize(entity, limit, [kind, index], report);
    }
  }
  return problems;
}

/** A value that must be unique, with its position. */
interface Place {
  readonly value: string;
  readonly path: Path;
}

function places<T>(
  items: readonly (T | undefined)[],
  list: string,
  field: string,
  read: (item: T) => string | undefined,
): Place[] {
  return items.flatMap((item, index) => {
    const value = item === undefined ? undefined : read(item);
    return value === undefined ? [] : [{ value, path: [list, index, field] }];
  });
}

function serialNumbers(users: DirectoryDraft['users']): Place[] {
  return users.flatMap((user, index) =>
    (user?.mfaDevices ?? []).map(({ serialNumber }, position) => ({
      value: serialNumber,
      path: ['users', index, 'mfaDevices', position, 'serialNumber'],
    })),
  );
}

/** Reports values that are equal or differ only in case: AWS preserves the case of names but compares them without it. */
function checkDistinct(all: readonly Place[], what: string, report: Report): void {
  const seen = new Set<string>();
  for (const { value, path } of all) {
    const folded = foldCase(value);
    if (seen.has(folded)) report(path, `repeats ${what} of this name, ignoring case`);
    seen.add(folded);
  }
}

function checkManagedPolicies({ policyNames, policies }: DirectoryDraft, report: Report): void {
  checkDistinct(
    policyNames.map((name) => ({ value: name, path: ['policies', name] })),
    'a managed policy',
    report,
  );
  for (const { name, characters } of policies) {
    if (characters > policyCharacterLimits.managed) {
      report(['policies', name], tooLong(policyCharacterLimits.managed));
    }
  }
}

function checkAccessKeys({ users, rootAccessKeys }: DirectoryDraft, report: Report): void {
  const seen = new Set<string>();
  const check = (accessKeys: readonly AccessKeyRecord[], owner: Path): void => {
    for (const [position, { accessKeyId }] of accessKeys.entries()) {
      const path = [...owner, 'accessKeys', position, 'accessKeyId'];
      if (accessKeyId.startsWith('ASIA'))
        report(path, 'must not start with ASIA, which marks temporary keys');
      if (seen.has(accessKeyId)) report(path, 'repeats the access key id of another key');
      seen.add(accessKeyId);
    }
  };
  check(rootAccessKeys, ['root']);
  for (const [index, user] of users.entries()) check(user?.accessKeys ?? [], ['users', index]);
}

// AWS refuses such a policy too ("Policy has invalid resource"): its author would rely on protection that does not exist.
function checkBucketPolicies({ bucketPolicies, partition }: DirectoryDraft, report: Report): void {
  if (partition === undefined) return;
  for (const { bucket, document } of bucketPolicies) {
    const arn = `arn:${partition}:s3:::${bucket}`;
    for (const { index, resources } of document.statements) {
      if (resources?.values.every((pattern) => mayMatchBucket(pattern, arn)) !== false) continue;
      const path = ['bucketPolicies', bucket, 'Statement', index];
      report(path, `names a resource that is not of the bucket ${bucket}: expected ${arn} or ${arn}/…`);
    }
  }
}

function checkAttachments(
  { policies, permissionsBoundary }: EntityRecord,
  known: ReadonlySet<string>,
  path: Path,
  report: Report,
): void {
  const named: Place[] = policies.map((value, index) => ({ value, path: [...path, 'policies', index] }));
  for (const [index, { value, path: at }] of named.entries()) {
    if (policies.indexOf(value) < index) report(at, `repeats ${JSON.stringify(value)}`);
  }
  if (permissionsBoundary !== undefined) {
    named.push({ value: permissionsBoundary, path: [...path, 'permissionsBoundary'] });
  }
  for (const { value, path: at } of named) {
    if (known.has(value)) continue;
    report(at, `no managed policy is named ${JSON.stringify(value)}`, { name: value, known: [...known] });
  }
}

function checkInlineSize({ inlinePolicies }: EntityRecord, limit: number, path: Path, report: Report): void {
  const characters = inlinePolicies.reduce((sum, policy) => sum + policy.characters, 0);
  if (characters > limit) report([...path, 'inlinePolicies'], tooLong(limit));
}

function tooLong(limit: number): string {
  return `is longer than ${limit} characters, white space not counted`;
}
