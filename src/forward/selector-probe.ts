import type { Authorized } from '../authorize/authorize-s3.ts';
import { emptySha256 } from '../sigv4/payload-mode.ts';
import { operationUnknown, StoreRefusalError, UpstreamFault } from './faults.ts';
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

const maxAnswerBytes = 4 * 1024 * 1024;
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
 * Fetches the configuration that a request is about to change. A store that ignores the selector answers with a list of
 * objects, and would create or delete the bucket instead. Ceph RGW 16 and MinIO ignore several (observed 2026-11-23).
 * Only a configuration, or the error that it is missing, shows that the store knows the selector.
 *
 * @throws StoreRefusalError `NotImplemented`, `NoSuchBucket`
 * @throws UpstreamFault when the answer does not tell whether the store knows the selector
 */
export async function probeSelector(
  { request }: Authorized,
  store: StoreTarget,
  signing: Signing,
  ask: (head: OutgoingHead, maxBytes: number) => Promise<SmallAnswer>,
): Promise<ProbeResult> {
  const parameters = [...request.parameters].map(([name, value]) => ({ name, value }));
  const path = storePath(request.bucket, '');
  const head = signHead(
    { method: 'GET', path, parameters, headers: [], payloadHash: emptySha256 },
    store,
    signing,
  );
  const { status, headers, body } = await ask(head, maxAnswerBytes);
  requireReadable({ headers });
  if (status === 200) requireNoListing(body);
  // Some stores answer 204 when there is no configuration. A list of objects is never 204.
  if (status === 200 || status === 204) return 'known';
  const code = readStoreError(body)?.code;
  requireOwnKeyAccepted(code);
  if (code === 'NoSuchBucket')
    throw new StoreRefusalError('NoSuchBucket', 404, 'The specified bucket does not exist');
  if (notImplemented.has(status)) throw operationUnknown(`the store answered ${status} when it was probed`);
  // Any other refusal, such as AccessDenied, does not tell whether the store knows the selector.
  if (status !== 404 || !missingConfiguration.test(code ?? ''))
    throw new UpstreamFault('protocol', `the store answered ${status} when it was probed`);
  return request.operation.method === 'DELETE' ? 'nothing-to-delete' : 'known';
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

/**
 * Refuses an answer with another root element than the operation has: the store has ignored the selector, and shows the object. Only who
 * may write that object can make it look like the answer.
 * @param roots `undefined` for an operation whose answer need not be looked at
 * @throws StoreRefusalError `NotImplemented`
 */
export function requireRoot(body: Uint8Array, roots: readonly string[] | undefined): void {
  if (roots === undefined) return;
  const start = Buffer.from(body.subarray(0, 1024)).toString('latin1');
  const [, found] = /^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<(?:\w+:)?(\w+)[\s/>]/.exec(start) ?? [];
  if (found === undefined || !roots.includes(found))
    throw operationUnknown(`the store did not answer with a ${roots[0]} document`);
}
