import type { PolicySets } from '../iam/combine.ts';
import type { CompiledPolicy } from '../iam/compile.ts';
import type { Permission } from '../s3/operation.ts';
import { bucketOfArn } from './bucket-of-arn.ts';
import type { LookupSubject } from './store-lookup.ts';

/** Beginning of the context keys that the tags of an object answer, in lower case. */
export const objectTags = 's3:existingobjecttag/';

/** Beginnings of every context key that a look-up can answer, in lower case. */
export const storeKeyPrefixes: readonly string[] = [objectTags, 's3:buckettag/', 'aws:resourcetag/'];
const asking = new WeakMap<CompiledPolicy, boolean>();

/** Whether some policy of the sets asks for what only the store knows. */
export function asksStore({ identity, boundary = [], session = [], resource = [] }: PolicySets): boolean {
  return (
    identity.some(policyAsks) ||
    boundary.some(policyAsks) ||
    session.some(policyAsks) ||
    resource.some(policyAsks)
  );
}

function policyAsks(policy: CompiledPolicy): boolean {
  const known = asking.get(policy);
  if (known !== undefined) return known;
  const asks = [...policy.contextKeys].some((key) =>
    storeKeyPrefixes.some((prefix) => key.startsWith(prefix)),
  );
  asking.set(policy, asks);
  return asks;
}

/** What answers keys with that prefix for a permission; `undefined` when it names nothing of the store that could. */
export function subjectOf(prefix: string, { object, resource }: Permission): LookupSubject | undefined {
  if (prefix === objectTags) {
    return (
      object && { kind: 'object-tags', bucket: object.bucket, key: object.key, versionId: object.versionId }
    );
  }
  const bucket = object?.bucket ?? bucketOfArn(resource);
  return bucket === undefined ? undefined : { kind: 'bucket-tags', bucket };
}

/** Where the answer to a look-up is kept: a key cannot hold NUL, so no two subjects share a place. */
export function placeOf(subject: LookupSubject): string {
  return subject.kind === 'bucket-tags'
    ? subject.bucket
    : `${subject.bucket}\0${subject.key}\0${subject.versionId ?? ''}`;
}
