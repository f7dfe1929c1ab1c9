import { climbsOut, leavesItsBucket } from '../../core/path-key.ts';
import { ServiceError } from '../../core/service-error.ts';
import { uriEncode } from '../../core/uri-encode.ts';
import { checkBucket, checkKey } from '../../s3/addressing.ts';
import { parseCopySource } from '../../s3/copy-source.ts';
import { isVersionId } from '../../s3/store-id.ts';
import { isStoresKey } from '../../s3/store-names.ts';
import { type Circumstances, QuestionError } from './question.ts';

/*
 * What the sidecar answers with 400 before anything is decided. To call it allowed would be wrong, and it is not denied by a policy.
 */

const ofTheStore = 'names something that stores keep for themselves';

/**
 * Checks the bucket and the key of a resource; the key of a bucket is empty.
 * @throws QuestionError
 */
export function checkPlace(resource: string, { bucket, key }: { bucket: string; key: string }): void {
  const shown = JSON.stringify(resource.slice(0, 256));
  if (key !== '' && leavesItsBucket(key))
    throw new QuestionError('resource', `${shown} leads out of its bucket`);
  const reason = refusalBy(() => {
    checkBucket(bucket);
    checkKey(key);
  });
  if (reason !== undefined)
    throw new QuestionError('resource', `the sidecar refuses requests for ${shown}: ${reason}`);
}

/**
 * Checks the names among the context keys.
 * @throws QuestionError
 */
export function checkContextNames({ context }: Circumstances): void {
  for (const [key, given] of context) {
    const reasonOf = refusals.get(key.toLowerCase());
    if (reasonOf === undefined) continue;
    for (const value of typeof given === 'string' ? [given] : given) {
      const reason = reasonOf(value);
      if (reason === undefined) continue;
      throw new QuestionError('context', `${JSON.stringify(value.slice(0, 128))} ${reason}`);
    }
  }
}

const refusals: ReadonlyMap<string, (value: string) => string | undefined> = new Map([
  ['s3:prefix', refusalOfPrefix],
  ['s3:versionid', (id: string) => (isVersionId(id) ? undefined : 'cannot be the id of a version')],
  ['s3:x-amz-copy-source', refusalOfSource],
]);

function refusalOfPrefix(prefix: string): string | undefined {
  if (climbsOut(prefix)) return 'leads out of the bucket';
  return isStoresKey(prefix) ? ofTheStore : undefined;
}

function refusalOfSource(source: string): string | undefined {
  const reason = refusalBy(() => parseCopySource(uriEncode(source, true)));
  return reason === undefined ? undefined : `is refused as the source of a copy: ${reason}`;
}

function refusalBy(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof ServiceError) return error.message;
    throw error;
  }
}
