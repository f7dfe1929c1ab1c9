import { fingerprintOf } from '../core/fingerprint.ts';
import type { Steps } from '../core/steps.ts';
import type { DirectoryRecords } from '../directory/records.ts';

/** A digest of the records, record by record: the same for the same users, roles and policies, secrets included. */
export function* fingerprintRecords({
  policies,
  users,
  roles,
  bucketPolicies,
  ...rest
}: DirectoryRecords): Steps<string> {
  const lists: string[][] = [];
  for (const list of [policies, users, roles, bucketPolicies]) {
    const digests: string[] = [];
    for (const record of list) {
      // A parsed policy has tests of its conditions beside their text.
      digests.push(fingerprintOf(record, 'derived'));
      yield;
    }
    lists.push(digests);
  }
  return fingerprintOf([lists, rest]);
}
