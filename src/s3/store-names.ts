import { s3Error } from './errors.ts';

/** A name that some store keeps for itself. */
interface StoreName {
  readonly name: string;
  /**
   * `segment`: between slashes of a key; `segment-end`: at the end of one; `folder-end`: at the end of one that is not the last;
   * `bucket`: a bucket of that name.
   */
  readonly places: readonly ('segment' | 'segment-end' | 'folder-end' | 'bucket')[];
  /** Which store, and what the name leads to there. */
  readonly meaning: string;
}

/**
 * Names under which stores keep data of their own, which policies about buckets and keys would not protect. They are refused
 * for every store, because the sidecar does not know which one it has. Observed with versitygw 1.8 and MinIO 2026-02 on
 * 2026-11-28; the others are from the documentation of the store.
 */
const storeNames: readonly StoreName[] = [
  { name: '.sgwtmp', places: ['segment'], meaning: 'versitygw: the parts of every upload' },
  { name: '.uploads', places: ['segment'], meaning: 'SeaweedFS: the parts of every upload' },
  {
    name: '.versions',
    places: ['folder-end'],
    meaning: 'SeaweedFS: `k.versions/` holds the versions of `k`',
  },
  { name: '__XLDIR__', places: ['segment-end'], meaning: 'MinIO: `k__XLDIR__` is another name of `k/`' },
  {
    name: '.minio.sys',
    places: ['segment', 'bucket'],
    meaning: 'MinIO: its configuration, users and uploads',
  },
  { name: 'xl.meta', places: ['segment'], meaning: 'MinIO: the file of an object, in the folder of its key' },
  { name: '.rustfs.sys', places: ['segment', 'bucket'], meaning: 'RustFS: its configuration and users' },
  { name: 'minio', places: ['bucket'], meaning: 'MinIO: its console and admin API' },
  { name: 'rustfs', places: ['bucket'], meaning: 'RustFS: its console, and its admin and internal APIs' },
  { name: 'admin', places: ['bucket'], meaning: 'Ceph RGW: its admin API' },
  { name: 'swift', places: ['bucket'], meaning: 'Ceph RGW: its Swift API' },
  { name: 'auth', places: ['bucket'], meaning: 'Ceph RGW: the login of its Swift API' },
];

const namesIn = (place: StoreName['places'][number]): readonly string[] =>
  storeNames.filter(({ places }) => places.includes(place)).map(({ name }) => name);

const asPattern = (names: readonly string[]): string =>
  names.map((name) => name.replaceAll('.', '\\.')).join('|');

// Case-insensitive, as some file systems are.
const inKeys: RegExp = new RegExp(
  `(?:(?:^|[\\\\/])(?:${asPattern(namesIn('segment'))})|${asPattern(namesIn('segment-end'))})(?:[\\\\/]|$)|` +
    `(?:${asPattern(namesIn('folder-end'))})[\\\\/]`,
  'i',
);
const buckets: ReadonlySet<string> = new Set(namesIn('bucket'));

/** The error for a name that a store keeps for itself, with the code that suits the place where it stood. */
export function storeNameRefused(
  code: 'InvalidURI' | 'InvalidArgument' | 'InvalidBucketName' | 'MalformedXML',
): Error {
  return s3Error(code, 'The request names something that stores keep for themselves.');
}

/** Whether a key, or a prefix of keys, is one that a store keeps for itself. */
export function isStoresKey(key: string): boolean {
  return inKeys.test(key);
}

/** Whether a bucket is one that a store keeps for itself, or a path of another of its interfaces. */
export function isStoresBucket(name: string): boolean {
  return buckets.has(name.toLowerCase());
}
