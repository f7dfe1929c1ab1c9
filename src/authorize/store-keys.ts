import type { PolicySets } from '../iam/combine.ts';
import type { CompiledPolicy } from '../iam/compile.ts';
import { policyTypes } from '../iam/policy-sets.ts';
import type { Permission } from '../s3/operation.ts';
import { bucketOfArn } from './bucket-of-arn.ts';
import type { LookupSubject } from './store-lookup.ts';

/** Prefix of the context keys for the tags of an object, in lower case. */
export const objectTags = 's3:existingobjecttag/';

/** Prefixes of every context key that a look-up can answer, in lower case. */
export const storeKeyPrefixes: readonly string[] = [objectTags, 's3:buckettag/', 'aws:resourcetag/'];

/** True for a context key, in lower case, that a look-up can answer. */
export function isOfStore(key: string): boolean {
  return storeKeyPrefixes.some((prefix) => key.startsWith(prefix));
}

const asking = new WeakMap<CompiledPolicy, boolean>();

/** True when a policy of the sets refers to a key that only the store knows. */
export function asksStore(sets: PolicySets): boolean {
  return policyTypes.some((policyType) => sets[policyType]?.some(policyAsks) === true);
}

function policyAsks(policy: CompiledPolicy): boolean {
  const known = asking.get(policy);
  if (known !== undefined) return known;
  const asks = [...policy.contextKeys].some(isOfStore);
  asking.set(policy, asks);
  return asks;
}

/** The subject to look up for keys with that prefix; `undefined` when the permission names no such object or bucket. */
export function subjectOf(prefix: string, { object, resource }: Permission): LookupSubject | undefined {
  if (prefix === objectTags) {
    return (
      object && { kind: 'object-tags', bucket: object.bucket, key: object.key, versionId: object.versionId }
    );
  }
  const bucket = object?.bucket ?? bucketOfArn(resource);
  return bucket === undefined ? undefined : { kind: 'bucket-tags', bucket };
}

/** The map key for the answer to a look-up. Object keys cannot hold NUL, so it is unique to the subject. */
export function placeOf(subject: LookupSubject): string {
  return subject.kind === 'bucket-tags'
    ? subject.bucket
    : `${subject.bucket}\0${subject.key}\0${subject.versionId ?? ''}`;
}
