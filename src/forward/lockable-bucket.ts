import { type Asking, askStore, unclearAnswer } from './asking.ts';
import { operationUnknown, StoreRefusalError } from './faults.ts';
import { requireReadable } from './response-headers.ts';
import { requireNoListing } from './selector-probe.ts';
import { readStoreError, requireOwnKeyAccepted } from './store-error.ts';

const notImplemented = new Set([405, 501]);
const withoutLock = new Set(['ObjectLockConfigurationNotFoundError', 'NoSuchObjectLockConfiguration']);

/**
 * Refuses a new object with retention or a legal hold in a bucket without object lock. versitygw 1.8 refuses it too, but only
 * after it has replaced the object; Ceph RGW 16 stores multipart uploads and copies without the lock (observed on 2026-11-29).
 *
 * @throws StoreRefusalError `InvalidRequest`, as on AWS; `NotImplemented` when the store knows no object lock
 * @throws UpstreamFault when the answer does not tell
 */
export async function requireLockable(bucket: string, asking: Asking): Promise<void> {
  const parameters = [{ name: 'object-lock', value: '' }];
  const { status, headers, body } = await askStore(asking, { method: 'GET', bucket, key: '', parameters });
  requireReadable({ headers });
  if (status === 200) {
    requireNoListing(body);
    return;
  }
  const code = readStoreError(body)?.code;
  requireOwnKeyAccepted(code);
  if (status === 404 && code !== undefined && withoutLock.has(code))
    throw new StoreRefusalError('InvalidRequest', 400, 'Bucket is missing Object Lock Configuration');
  // The store's own answer to the request tells the client.
  if (code === 'NoSuchBucket') return;
  if (notImplemented.has(status))
    throw operationUnknown(`the store answered ${status} when it was asked for object lock`);
  throw unclearAnswer(status, 'object lock');
}
