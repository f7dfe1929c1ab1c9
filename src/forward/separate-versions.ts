import { pathsOfKey } from '../core/path-key.ts';
import { ServiceError } from '../core/service-error.ts';
import { childText, readXml, type XmlElement } from '../core/xml.ts';
import { type Asking, askStore, type Question } from './asking.ts';
import { UpstreamFault } from './faults.ts';
import { readStoreError, requireOwnKeyAccepted } from './store-error.ts';
import type { SmallAnswer } from './upstream.ts';

/** 405 for a delete marker, 400 for an object that is encrypted with a key of its writer, and in MinIO for every odd key. */
const found = new Set([200, 400, 405]);

const maxListingBytes = 64 * 1024;

/**
 * Refuses a new version of an odd key, such as `dir//kept`, when the store takes it for the object `dir/kept` and that object
 * has versions. versitygw 1.8 would keep them under the name that was sent, where nobody finds them again, those under
 * retention too (observed on 2026-11-29).
 *
 * The newest version of `dir/kept` is asked for under the odd key. A store for which the two are different objects does not
 * find it there.
 *
 * @throws ServiceError `InvalidRequest`
 * @throws UpstreamFault when an answer does not tell
 */
export async function requireSeparateVersions(bucket: string, key: string, asking: Asking): Promise<void> {
  for (const path of pathsOfKey(key)) {
    const versionId = await newestVersion(bucket, path, asking);
    if (versionId === undefined) continue;
    const parameters = [{ name: 'versionId', value: versionId }];
    const { status } = await askStore(asking, { method: 'HEAD', bucket, key, parameters });
    if (status === 404) continue;
    if (!found.has(status)) throw unclear(status);
    throw new ServiceError(
      'InvalidRequest',
      400,
      'The store takes this key for another spelling of an object that has versions, or refuses it. Use the key of that object.',
    );
  }
}

/** The id of the newest version of an object, a delete marker included; `undefined` when it has no versions. */
async function newestVersion(bucket: string, key: string, asking: Asking): Promise<string | undefined> {
  const parameters = [
    { name: 'max-keys', value: '10' },
    { name: 'prefix', value: key },
    { name: 'versions', value: '' },
  ];
  const answer = await ask({ method: 'GET', bucket, key: '', parameters }, asking);
  if (answer === undefined) return undefined;
  const newest = readListing(answer).find(
    (entry) => childText(entry, 'Key') === key && childText(entry, 'IsLatest') === 'true',
  );
  const id = newest && childText(newest, 'VersionId');
  if (id !== 'null') return id;
  // Without versioning every object is listed with this id, and there is nothing to lose.
  return (await hasVersioning(bucket, asking)) ? id : undefined;
}

async function hasVersioning(bucket: string, asking: Asking): Promise<boolean> {
  const parameters = [{ name: 'versioning', value: '' }];
  const answer = await ask({ method: 'GET', bucket, key: '', parameters }, asking);
  return answer?.includes('<Status>') ?? false;
}

const notImplemented = new Set([405, 501]);

/** Returns `undefined` when there is no such bucket, and when the store knows no versions. */
async function ask(question: Question, asking: Asking): Promise<Buffer | undefined> {
  const { status, body }: SmallAnswer = await askStore(asking, question);
  if (status === 200) return Buffer.from(body);
  const code = readStoreError(body)?.code;
  requireOwnKeyAccepted(code);
  if (code === 'NoSuchBucket' || notImplemented.has(status)) return undefined;
  throw unclear(status);
}

function readListing(body: Buffer): readonly XmlElement[] {
  try {
    const root = readXml(body, { maxBytes: maxListingBytes, maxDepth: 6 });
    if (root.name === 'ListVersionsResult') return root.children;
  } catch (cause) {
    throw new UpstreamFault('protocol', 'the store answered no readable list of versions', cause);
  }
  throw new UpstreamFault('protocol', 'the store answered no list of versions');
}

function unclear(status: number): UpstreamFault {
  return new UpstreamFault('protocol', `the store answered ${status} when it was asked for versions`);
}
