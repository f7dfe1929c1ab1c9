import type { Authorized } from '../authorize/authorize-s3.ts';
import { emptySha256 } from '../sigv4/payload-mode.ts';
import { operationUnknown, StoreRefusalError, UpstreamFault } from './faults.ts';
import { faultBehind } from './hidden-errors.ts';
import {
  type OutgoingHead,
  type Signing,
  type StoreTarget,
  signHead,
  storePath,
} from './outgoing-request.ts';
import { requireReadable } from './response-headers.ts';
import { readStoreError, requireOwnKeyAccepted } from './store-error.ts';
import type { SmallAnswer } from './upstream.ts';

/** `known`: the request can be sent. `nothing-to-delete`: there is no such configuration. */
export type ProbeResult = 'known' | 'nothing-to-delete';

const maxConfigurationBytes = 4 * 1024 * 1024;
/** Ten tags, or any ACL. */
const maxObjectsBytes = 256 * 1024;
const aboutObject = new Set([400, 404, 405]);
const notImplemented = new Set([405, 501]);
/** NoSuchConfiguration, NoSuchCORSConfiguration, NoSuchBucketPolicy, NoSuchTagSet, OwnershipControlsNotFoundError and others. */
const missingConfiguration =
  /^NoSuch[A-Za-z]*(?:Configuration|Policy|TagSet|TagSetError)$|^[A-Za-z]+NotFoundError$/;

/** True for a request that must be preceded by a probe: it changes a subresource that some stores do not know. */
export function needsProbe({ request }: Authorized): boolean {
  const { unlessKnown, method } = request.operation;
  return unlessKnown === 'probe' && method !== 'GET';
}

/**
 * Fetches what a request is about to change: the configuration of a bucket, or the tags or the ACL of an object. A store that ignores
 * the selector answers with a list of objects, or with the object, and would create, replace or delete the bucket or the object
 * instead. Ceph RGW 16 and MinIO ignore several of a bucket (observed 2026-11-23). Only what was asked for, or the error that
 * it is missing, shows that the store knows the selector.
 *
 * @throws StoreRefusalError `NotImplemented`, `NoSuchBucket`; for an object, what the store refuses to read it with
 * @throws UpstreamFault when the answer does not tell whether the store knows the selector
 */
export async function probeSelector(
  authorized: Authorized,
  store: StoreTarget,
  signing: Signing,
  ask: (head: OutgoingHead, maxBytes: number) => Promise<SmallAnswer>,
): Promise<ProbeResult> {
  const { bucket, key, operation, parameters: sent } = authorized.request;
  const parameters = [...sent].map(([name, value]) => ({ name, value }));
  const path = storePath(bucket, key);
  const head = signHead(
    { method: 'GET', path, parameters, headers: [], payloadHash: emptySha256 },
    store,
    signing,
  );
  const { status, headers, body } = await ask(head, key === '' ? maxConfigurationBytes : maxObjectsBytes);
  requireReadable({ headers });
  if (status === 200) requireKnown(body, operation);
  // Some stores answer 204 when there is no configuration. A list of objects is never 204.
  if (status === 200 || status === 204) return 'known';
  const code = readStoreError(body)?.code;
  requireOwnKeyAccepted(code);
  if (code === 'NoSuchBucket')
    throw new StoreRefusalError('NoSuchBucket', 404, 'The specified bucket does not exist');
  if (status === 404 && missingConfiguration.test(code ?? ''))
    return operation.method === 'DELETE' ? 'nothing-to-delete' : 'known';
  // What the store says of the object, or of the version: it is missing, a delete marker, or has an id that cannot be.
  if (key !== '' && code !== undefined && aboutObject.has(status)) {
    await authorized.decide(authorized.request.seesMissing);
    throw faultBehind({ code, status }, authorized) ?? new StoreRefusalError(code, status, textOf(code));
  }
  if (notImplemented.has(status)) throw operationUnknown(`the store answered ${status} when it was probed`);
  // Any other refusal, such as AccessDenied, does not tell whether the store knows the selector.
  throw new UpstreamFault('protocol', `the store answered ${status} when it was probed`);
}

function textOf(code: string): string {
  return code === 'NoSuchKey'
    ? 'The specified key does not exist.'
    : 'The specified object or version cannot be changed.';
}

/**
 * Refuses an answer that shows that the store has ignored the selector: a list of objects, or another root element than the operation
 * has. Only who may write an object can make it look like the answer.
 * @throws StoreRefusalError `NotImplemented`
 */
export function requireKnown(body: Uint8Array, { answerRoots }: Authorized['request']['operation']): void {
  requireNoListing(body);
  if (answerRoots !== undefined) requireRoot(body, answerRoots);
}

/**
 * Refuses a list of objects: the store has ignored the selector.
 * @throws StoreRefusalError `NotImplemented`
 */
export function requireNoListing(body: Uint8Array): void {
  const start = Buffer.from(body.subarray(0, 1024)).toString('latin1');
  if (/<(?:\w+:)?ListBucketResult[\s>]/.test(start)) {
    throw operationUnknown('the store answered with a list of objects');
  }
}

function requireRoot(body: Uint8Array, roots: readonly string[]): void {
  const start = Buffer.from(body.subarray(0, 1024)).toString('latin1');
  const [, found] = /^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<(?:\w+:)?(\w+)[\s/>]/.exec(start) ?? [];
  if (found === undefined || !roots.includes(found))
    throw operationUnknown(`the store did not answer with a ${roots[0]} document`);
}
