import { createHash } from 'node:crypto';
import { type Answer, emptyAnswer } from './answer.ts';
import { readByteRange } from './byte-range.ts';
import { checksumHeader, verifyIntegrity } from './checksum.ts';
import { bucketOf, type Contents, checkVersion, objectOf } from './contents.ts';
import { storeError } from './errors.ts';
import { keptHeaders, objectChecksumHeaders, objectHeaders } from './object-headers.ts';
import { checkReadConditions, checkWriteConditions } from './preconditions.ts';
import { checkHasLength, type StoreCall } from './store-call.ts';
import { readTaggingHeader } from './tagging.ts';

/** GetObject's query parameters that replace a header of the answer. */
export const responseOverrides: readonly string[] = [
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
];

/**
 * GetObject; HeadObject is the same answer sent without its body. Throws NoSuchKey, PreconditionFailed,
 * InvalidRange.
 */
export function getObject(call: StoreCall, contents: Contents): Answer {
  const object = objectOf(call, contents);
  if (checkReadConditions(call.headers, object) === 'not-modified') {
    return emptyAnswer(304, objectHeaders(object));
  }
  const headers = { ...objectHeaders(object), ...overridesOf(call) };
  const size = object.body.length;
  const range = readByteRange(call.headers.get('range'), size);
  if (range !== undefined) {
    const contentRange = `bytes ${range.start}-${range.end - 1}/${size}`;
    const body = object.body.subarray(range.start, range.end);
    return { status: 206, headers: { ...headers, 'content-range': contentRange }, body };
  }
  // The checksum is the whole object's, so a range never carries it: clients would compare it with the range.
  const isChecksumWanted = call.headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED';
  const checksum = isChecksumWanted ? objectChecksumHeaders(object) : {};
  return { status: 200, headers: { ...headers, ...checksum }, body: object.body };
}

function overridesOf(call: StoreCall): Readonly<Record<string, string>> {
  const overrides = new Map<string, string>();
  for (const name of responseOverrides) {
    const value = call.query.get(name);
    if (value === undefined) continue;
    // INVARIANT: a query value may hold any character, a header only visible latin1.
    if (!/^[\u0020-\u007e\u00a0-\u00ff]*$/.test(value)) {
      throw storeError('InvalidArgument', { fields: { ArgumentName: name } });
    }
    overrides.set(name.slice('response-'.length), value);
  }
  return Object.fromEntries(overrides);
}

/**
 * PutObject. Throws MissingContentLength, NoSuchBucket, PreconditionFailed, InvalidDigest, BadDigest,
 * MetadataTooLarge.
 */
export function putObject(call: StoreCall, contents: Contents): Answer {
  checkHasLength(call);
  const bucket = bucketOf(contents, call.bucketName);
  checkWriteConditions(call.headers, call.key, bucket.objects.get(call.key));
  const checksum = verifyIntegrity(call.headers, call.body);
  const etag = createHash('md5').update(call.body).digest('hex');
  bucket.objects.set(call.key, {
    key: call.key,
    body: call.body,
    etag,
    lastModifiedMs: call.nowMs,
    headers: keptHeaders(call.headers),
    checksum: checksum === undefined ? undefined : { ...checksum, type: 'FULL_OBJECT' },
    tags: readTaggingHeader(call),
  });
  return emptyAnswer(200, {
    etag: `"${etag}"`,
    ...(checksum === undefined
      ? {}
      : { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': 'FULL_OBJECT' }),
  });
}

/** DeleteObject: 204 whether or not there was one. Throws PreconditionFailed. */
export function deleteObject(call: StoreCall, contents: Contents): Answer {
  const { objects } = bucketOf(contents, call.bucketName);
  checkVersion(call);
  checkWriteConditions(call.headers, call.key, objects.get(call.key));
  objects.delete(call.key);
  return emptyAnswer(204);
}
