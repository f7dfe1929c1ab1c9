import { decodeUtf8 } from '../core/bytes.ts';
import { pathsOfKey } from '../core/path-key.ts';
import { percentDecode } from '../core/uri-encode.ts';
import { childText, readXml, type XmlElement } from '../core/xml.ts';
import { type Asking, askStore, type Question, unclearAnswer } from './asking.ts';
import { StoreRefusalError, UpstreamFault } from './faults.ts';
import { storeHeader } from './response-headers.ts';
import { readStoreError, requireOwnKeyAccepted } from './store-error.ts';

/** 405 for a delete marker, 400 for an object that is encrypted with a key of its writer, and in MinIO for every odd key. */
const found = new Set([200, 400, 405]);
const notFound = 404;

const maxListingBytes = 64 * 1024;

/**
 * Refuses to make or to delete a version under an odd key, such as `dir//kept`, when the store takes it for the object
 * `dir/kept` and that object has versions. versitygw 1.8 would keep them under the name that was sent, where they are never
 * found again, even those under retention (observed on 2026-11-29).
 *
 * The newest version of `dir/kept` is asked for under the odd key. A store for which the two are different objects does not
 * find it there.
 *
 * @throws StoreRefusalError `InvalidRequest`
 * @throws UpstreamFault when an answer does not tell
 */
export async function requireSeparateVersions(bucket: string, key: string, asking: Asking): Promise<void> {
  for (const path of pathsOfKey(key)) {
    const newest = await newestVersion(bucket, path, asking);
    if (newest === undefined || !(await isFoundAs(newest, { bucket, path, key }, asking))) continue;
    throw new StoreRefusalError(
      'InvalidRequest',
      400,
      'The store takes this key for another spelling of an object that has versions, or refuses it. Use the key of that object.',
    );
  }
}

interface Version {
  readonly id: string;
  readonly isMarker: boolean;
}

interface Names {
  readonly bucket: string;
  readonly path: string;
  readonly key: string;
}

async function isFoundAs({ id, isMarker }: Version, names: Names, asking: Asking): Promise<boolean> {
  const { bucket, key } = names;
  if (id === nullVersion) return isMarker || isSameObject(names, asking);
  const parameters = [{ name: 'versionId', value: id }];
  const { status } = await askStore(asking, { method: 'HEAD', bucket, key, parameters });
  if (status === notFound) return false;
  if (found.has(status)) return true;
  throw unclearAnswer(status, 'versions');
}

// versitygw does not find the version `null` of an object from before its bucket had versions. Nothing shows whether a delete
// marker with this id is the same under both keys.
async function isSameObject({ bucket, path, key }: Names, asking: Asking): Promise<boolean> {
  const [own, other] = [
    await askStore(asking, { method: 'HEAD', bucket, key }),
    await askStore(asking, { method: 'HEAD', bucket, key: path }),
  ];
  if (own.status === notFound) return false;
  if (!found.has(own.status)) throw unclearAnswer(own.status, 'versions');
  return ['etag', 'last-modified'].every(
    (name) => storeHeader(own.headers, name) === storeHeader(other.headers, name),
  );
}

/** The id of versions from before the bucket had versions, or made while versioning is suspended. */
const nullVersion = 'null';

/** The newest version of an object; `undefined` when it has no versions. */
async function newestVersion(bucket: string, key: string, asking: Asking): Promise<Version | undefined> {
  const parameters = [
    { name: 'encoding-type', value: 'url' },
    { name: 'max-keys', value: '10' },
    { name: 'prefix', value: key },
    { name: 'versions', value: '' },
  ];
  const answer = await ask({ method: 'GET', bucket, key: '', parameters }, asking);
  if (answer === undefined) return undefined;
  const newest = readListing(answer, key).find((entry) => childText(entry, 'IsLatest') === 'true');
  const id = newest && childText(newest, 'VersionId');
  if (newest === undefined || id === undefined) return undefined;
  // Without versioning every object is listed with this id, and there is nothing to lose.
  if (id === nullVersion && !(await hasVersioning(bucket, asking))) return undefined;
  return { id, isMarker: newest.name === 'DeleteMarker' };
}

async function hasVersioning(bucket: string, asking: Asking): Promise<boolean> {
  const parameters = [{ name: 'versioning', value: '' }];
  const answer = await ask({ method: 'GET', bucket, key: '', parameters }, asking);
  return answer?.includes('<Status>') ?? false;
}

const notImplemented = new Set([405, 501]);

/** Returns `undefined` when there is no such bucket, and when the store knows no versions. */
async function ask(question: Question, asking: Asking): Promise<Buffer | undefined> {
  const { status, body } = await askStore(asking, question);
  if (status === 200) return Buffer.from(body);
  const code = readStoreError(body)?.code;
  requireOwnKeyAccepted(code);
  if (code === 'NoSuchBucket' || notImplemented.has(status)) return undefined;
  throw unclearAnswer(status, 'versions');
}

// Characters that XML cannot carry. A store that does not encode them writes others in their place.
const unprintable = /[\p{Cc}\uFFFD-\uFFFF]/u;

/** The entries of one key. */
function readListing(body: Buffer, key: string): readonly XmlElement[] {
  try {
    const root = readXml(body, { maxBytes: maxListingBytes, maxDepth: 6 });
    const isEncoded = childText(root, 'EncodingType') === 'url';
    if (root.name === 'ListVersionsResult' && (isEncoded || !unprintable.test(key))) {
      const readKey = isEncoded ? decodedKey : (text: string | undefined): string | undefined => text;
      return root.children.filter((entry) => readKey(childText(entry, 'Key')) === key);
    }
  } catch (cause) {
    throw new UpstreamFault('protocol', 'the store answered no readable list of versions', cause);
  }
  throw new UpstreamFault('protocol', 'the store answered no list of versions');
}

function decodedKey(text = ''): string | undefined {
  const bytes = percentDecode(text, ' ');
  return bytes && decodeUtf8(bytes);
}
