import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../../src/core/clock.ts';
import type { Answered, Call, SignedCaller } from './signed-caller.ts';

/** What a store does with a condition that a request carries. */
export type Obedience =
  /** Carries out the request when the condition holds, and does nothing when it does not. */
  | 'obeys'
  /** Carries out the request although the condition does not hold. */
  | 'ignores'
  /** Does nothing, whether the condition holds or not. */
  | 'refuses';

/** One condition of one operation. */
export interface ConditionCase {
  readonly operation: string;
  /** As the client writes it. */
  readonly condition: string;
  /** True when the bucket has to have versioning. */
  readonly isVersioned?: true;
  /** Makes what the call works on, and the call itself, with a condition that holds or one that does not. */
  readonly prepare: (caller: SignedCaller, place: Place) => Promise<Prepared>;
}

/** Where a case may work: a key of its own in a bucket of all. */
export interface Place {
  readonly bucket: string;
  readonly key: string;
  readonly holds: boolean;
}

interface Prepared {
  readonly call: Call;
  /** Whether the call had its effect, looked up at the store. */
  readonly happened: (answered: Answered) => Promise<boolean>;
}

const before = 'before';
const after = 'after';
const etagOf = (text: string): string => `"${createHash('md5').update(text).digest('hex')}"`;
const wrongEtag = etagOf('another');
const longAgo = 'Mon, 01 Jan 2001 00:00:00 GMT';
const lastModified = 'LAST-MODIFIED';
const secondAfter = 'A SECOND LATER';
const laterThanAll = 'Fri, 01 Jan 2100 00:00:00 GMT';

const pathOf = ({ bucket, key }: { bucket: string; key: string }): string => `/${bucket}/${key}`;

async function put(caller: SignedCaller, path: string, body: string): Promise<void> {
  await caller.must({ method: 'PUT', path, body });
}

const reads = (caller: SignedCaller, path: string, content: string) => async (): Promise<boolean> =>
  (await caller.send({ method: 'GET', path })).text === content;

const isGone = (caller: SignedCaller, path: string) => async (): Promise<boolean> =>
  (await caller.send({ method: 'HEAD', path })).status === 404;

// Conditions on the time of an object are about what the store says; to have changed since is about the second after, once
// it has passed: some stores keep parts of a second, and none believes in a date to come.
async function headersFor(
  caller: SignedCaller,
  path: string,
  headers: Record<string, string>,
): Promise<Record<string, string>> {
  const values = Object.values(headers);
  if (!values.includes(lastModified) && !values.includes(secondAfter)) return headers;
  const { headers: answered } = await caller.must({ method: 'HEAD', path });
  const modified = String(answered['last-modified']);
  const after = Date.parse(modified) + 1000;
  if (values.includes(secondAfter)) await sleep(Math.max(0, after + 1000 - systemClock.now()));
  const written = new Map([
    [lastModified, modified],
    [secondAfter, new Date(after).toUTCString()],
  ]);
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, written.get(value) ?? value]),
  );
}

/** The headers of a condition that holds, or does not, for an object that is there with the content `before`. */
type HeadersOf = (holds: boolean) => Record<string, string>;

const ifMatch: HeadersOf = (holds) => ({ 'if-match': holds ? etagOf(before) : wrongEtag });
const ifNoneMatch: HeadersOf = () => ({ 'if-none-match': '*' });

// `If-None-Match: *` holds where there is no object; every other condition is about the one that is there.
const needsObject = (headersOf: HeadersOf, holds: boolean): boolean => headersOf !== ifNoneMatch || !holds;

async function makeObject(
  caller: SignedCaller,
  { bucket, key, holds }: Place,
  headersOf: HeadersOf,
): Promise<string> {
  const path = pathOf({ bucket, key });
  if (needsObject(headersOf, holds)) await put(caller, path, before);
  return path;
}

/** Where versions are kept: the object of a condition that holds, or does not, has been deleted. */
async function makeDeleted(
  caller: SignedCaller,
  { bucket, key, holds }: Place,
  headersOf: HeadersOf,
): Promise<string> {
  const path = pathOf({ bucket, key });
  await put(caller, path, before);
  if (holds === (headersOf === ifNoneMatch)) await caller.must({ method: 'DELETE', path });
  return path;
}

const ofDeleted: HeadersOf = () => ({ 'if-match': etagOf(before) });

function upload(condition: string, headersOf: HeadersOf, make = makeObject): ConditionCase {
  return {
    operation: 'PutObject',
    condition,
    prepare: async (caller, place) => {
      const path = await make(caller, place, headersOf);
      return {
        call: { method: 'PUT', path, body: after, headers: headersOf(place.holds) },
        happened: reads(caller, path, after),
      };
    },
  };
}

function copy(condition: string, headersOf: HeadersOf): ConditionCase {
  return {
    operation: 'CopyObject',
    condition,
    prepare: async (caller, place) => {
      const path = pathOf(place);
      if (needsObject(headersOf, place.holds)) await put(caller, path, before);
      await put(caller, `${path}-source`, after);
      const headers = { 'x-amz-copy-source': `${path}-source`, ...headersOf(place.holds) };
      return { call: { method: 'PUT', path, headers }, happened: reads(caller, path, after) };
    },
  };
}

// A copy whose condition is about its source.
function copySource(condition: string, headersOf: HeadersOf): ConditionCase {
  return {
    operation: 'CopyObject',
    condition,
    prepare: async (caller, place) => {
      const path = pathOf(place);
      await put(caller, `${path}-source`, before);
      const condition = await headersFor(caller, `${path}-source`, headersOf(place.holds));
      const headers = { 'x-amz-copy-source': `${path}-source`, ...condition };
      return { call: { method: 'PUT', path, headers }, happened: reads(caller, path, before) };
    },
  };
}

async function startUpload(caller: SignedCaller, path: string): Promise<string> {
  const { text } = await caller.must({ method: 'POST', path, query: { uploads: '' } });
  const uploadId = /<UploadId>([^<]+)<\/UploadId>/.exec(text)?.[1];
  if (uploadId === undefined) throw new Error(`no upload id in ${text.slice(0, 200)}`);
  return uploadId;
}

const hasPart = (caller: SignedCaller, path: string, uploadId: string) => async (): Promise<boolean> =>
  (await caller.send({ method: 'GET', path, query: { uploadId } })).text.includes('<PartNumber>1<');

function partCopy(condition: string, headersOf: HeadersOf): ConditionCase {
  return {
    operation: 'UploadPartCopy',
    condition,
    prepare: async (caller, place) => {
      const path = pathOf(place);
      await put(caller, `${path}-source`, before);
      const uploadId = await startUpload(caller, path);
      const condition = await headersFor(caller, `${path}-source`, headersOf(place.holds));
      const headers = { 'x-amz-copy-source': `${path}-source`, ...condition };
      return {
        call: { method: 'PUT', path, query: { partNumber: '1', uploadId }, headers },
        happened: hasPart(caller, path, uploadId),
      };
    },
  };
}

function complete(condition: string, headersOf: HeadersOf, make = makeObject): ConditionCase {
  return {
    operation: 'CompleteMultipartUpload',
    condition,
    prepare: async (caller, place) => {
      const path = await make(caller, place, headersOf);
      const uploadId = await startUpload(caller, path);
      const query = { partNumber: '1', uploadId };
      const part = await caller.must({ method: 'PUT', path, query, body: after });
      const etag = String(part.headers['etag']);
      const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
      return {
        call: { method: 'POST', path, query: { uploadId }, body, headers: headersOf(place.holds) },
        happened: reads(caller, path, after),
      };
    },
  };
}

function remove(condition: string, headersOf: HeadersOf): ConditionCase {
  return {
    operation: 'DeleteObject',
    condition,
    prepare: async (caller, place) => {
      const path = pathOf(place);
      await put(caller, path, before);
      const headers = await headersFor(caller, path, headersOf(place.holds));
      return { call: { method: 'DELETE', path, headers }, happened: isGone(caller, path) };
    },
  };
}

const removeMany: ConditionCase = {
  operation: 'DeleteObjects',
  condition: '<ETag>',
  prepare: async (caller, place) => {
    const path = pathOf(place);
    await put(caller, path, before);
    const etag = place.holds ? etagOf(before) : wrongEtag;
    const body = `<Delete><Object><Key>${place.key}</Key><ETag>${etag}</ETag></Object></Delete>`;
    const md5 = createHash('md5').update(body).digest('base64');
    return {
      call: {
        method: 'POST',
        path: `/${place.bucket}`,
        query: { delete: '' },
        body,
        headers: { 'content-md5': md5 },
      },
      happened: isGone(caller, path),
    };
  },
};

const abort: ConditionCase = {
  operation: 'AbortMultipartUpload',
  condition: 'x-amz-if-match-initiated-time',
  prepare: async (caller, place) => {
    const path = pathOf(place);
    const uploadId = await startUpload(caller, path);
    const uploads = async (): Promise<string> =>
      (await caller.must({ method: 'GET', path: `/${place.bucket}`, query: { uploads: '' } })).text;
    // The order of the elements differs from store to store.
    const own = (await uploads()).split('<Upload>').find((text) => text.includes(uploadId));
    const initiated = /<Initiated>([^<]+)</.exec(own ?? '')?.[1];
    const time = place.holds ? new Date(initiated ?? Date.now()).toUTCString() : longAgo;
    return {
      call: {
        method: 'DELETE',
        path,
        query: { uploadId },
        headers: { 'x-amz-if-match-initiated-time': time },
      },
      happened: async () => (await caller.send({ method: 'GET', path, query: { uploadId } })).status === 404,
    };
  },
};

function read(condition: string, headersOf: HeadersOf): ConditionCase {
  return {
    operation: 'GetObject',
    condition,
    prepare: async (caller, place) => {
      const path = pathOf(place);
      await put(caller, path, before);
      return {
        call: { method: 'GET', path, headers: await headersFor(caller, path, headersOf(place.holds)) },
        happened: ({ text }) => Promise.resolve(text === before),
      };
    },
  };
}

const sourceConditions: readonly (readonly [name: string, headersOf: HeadersOf])[] = [
  [
    'x-amz-copy-source-if-match',
    (holds) => ({ 'x-amz-copy-source-if-match': holds ? etagOf(before) : wrongEtag }),
  ],
  [
    'x-amz-copy-source-if-none-match',
    (holds) => ({ 'x-amz-copy-source-if-none-match': holds ? wrongEtag : etagOf(before) }),
  ],
  [
    'x-amz-copy-source-if-modified-since',
    (holds) => ({ 'x-amz-copy-source-if-modified-since': holds ? longAgo : secondAfter }),
  ],
  [
    'x-amz-copy-source-if-unmodified-since',
    (holds) => ({ 'x-amz-copy-source-if-unmodified-since': holds ? laterThanAll : longAgo }),
  ],
];

const versionedCases: readonly ConditionCase[] = [upload, complete].flatMap((write) =>
  [
    write('`If-Match`, with versioning', ifMatch),
    write('`If-None-Match: *`, with versioning', ifNoneMatch),
    write('`If-Match` of what was deleted', ofDeleted, makeDeleted),
    write('`If-None-Match: *` after a deletion', ifNoneMatch, makeDeleted),
  ].map((one) => ({ ...one, isVersioned: true as const })),
);

/** Every condition that S3 knows, of every operation that takes it. */
export const conditionCases: readonly ConditionCase[] = [
  ...versionedCases,
  upload('If-Match', ifMatch),
  upload('If-None-Match: *', ifNoneMatch),
  complete('If-Match', ifMatch),
  complete('If-None-Match: *', ifNoneMatch),
  copy('If-Match', ifMatch),
  copy('If-None-Match: *', ifNoneMatch),
  ...sourceConditions.map(([name, headersOf]) => copySource(name, headersOf)),
  ...sourceConditions.map(([name, headersOf]) => partCopy(name, headersOf)),
  remove('If-Match', ifMatch),
  remove('x-amz-if-match-size', (holds) => ({
    'x-amz-if-match-size': holds ? String(before.length) : '1',
  })),
  remove('x-amz-if-match-last-modified-time', (holds) => ({
    'x-amz-if-match-last-modified-time': holds ? lastModified : longAgo,
  })),
  removeMany,
  abort,
  read('If-Match', ifMatch),
  read('If-None-Match', (holds) => ({ 'if-none-match': holds ? wrongEtag : etagOf(before) })),
  read('If-Modified-Since', (holds) => ({ 'if-modified-since': holds ? longAgo : secondAfter })),
  read('If-Unmodified-Since', (holds) => ({ 'if-unmodified-since': holds ? laterThanAll : longAgo })),
];

/** Tries one condition both ways. */
export async function obedienceOf(
  { prepare }: ConditionCase,
  caller: SignedCaller,
  place: Omit<Place, 'holds'>,
): Promise<Obedience> {
  if (await happens(await prepare(caller, { ...place, holds: false }), caller)) return 'ignores';
  const other = { ...place, key: `${place.key}-holds`, holds: true };
  return (await happens(await prepare(caller, other), caller)) ? 'obeys' : 'refuses';
}

async function happens({ call, happened }: Prepared, caller: SignedCaller): Promise<boolean> {
  return happened(await caller.send(call));
}
