import { createHash } from 'node:crypto';
import type { Parties, Statement } from './aliases.ts';
import { deny } from './aliases.ts';
import type { Answered, Call, SignedCaller } from './signed-caller.ts';

/** A request that every store should refuse, and some store carries out. */
export interface RefusalCase {
  readonly operation: string;
  readonly request: string;
  /** What the caller may not do. */
  readonly denied?: Statement;
  /** What AWS answers, and the sidecar; the second where the store does not tell the difference. */
  readonly refusals: readonly string[];
  /** Makes what is needed as the owner, sends the request as the caller, and tells whether it was carried out. */
  readonly outcome: (parties: Parties) => Promise<Outcome>;
}

interface Outcome {
  readonly answered: Answered;
  readonly isCarriedOut: boolean;
}

const plain = 'refusals';
const versioned = 'refusals-versioned';
const suspended = 'refusals-suspended';

/** Makes the buckets of the cases. */
export async function makeRefusalBuckets(owner: SignedCaller): Promise<void> {
  for (const bucket of [plain, versioned, suspended]) await owner.must({ method: 'PUT', path: `/${bucket}` });
  for (const [bucket, status] of [
    [versioned, 'Enabled'],
    [suspended, 'Enabled'],
    [suspended, 'Suspended'],
  ]) {
    const body = `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>${status}</Status></VersioningConfiguration>`;
    await owner.must({ method: 'PUT', path: `/${bucket}`, query: { versioning: '' }, body });
  }
}

async function startUpload(owner: SignedCaller, path: string): Promise<string> {
  const { text } = await owner.must({ method: 'POST', path, query: { uploads: '' } });
  return /<UploadId>([^<]+)</.exec(text)?.[1] ?? '';
}

async function partCall(
  owner: SignedCaller,
  path: string,
  headers: NonNullable<Call['headers']>,
): Promise<Call> {
  const query = { partNumber: '1', uploadId: await startUpload(owner, path) };
  return { method: 'PUT', path, query, headers };
}

/** Deletes an object with content, and returns it as a source of a copy, and its delete marker as another. */
async function deletedSource(owner: SignedCaller, path: string): Promise<readonly string[]> {
  await owner.must({ method: 'PUT', path, body: 'secret' });
  const { headers } = await owner.must({ method: 'DELETE', path });
  return [path, `${path}?versionId=${String(headers['x-amz-version-id'])}`];
}

const sources = [
  { request: 'a source that has been deleted', bucket: versioned, isMarker: false },
  { request: 'the same where versioning is suspended', bucket: suspended, isMarker: false },
  { request: 'the delete marker as version of the source', bucket: versioned, isMarker: true },
] as const;

const deletedCases: readonly RefusalCase[] = ['CopyObject', 'UploadPartCopy'].flatMap((operation) =>
  sources.map(
    ({ request, bucket, isMarker }): RefusalCase => ({
      operation,
      request,
      ...(isMarker ? {} : { denied: deny('*', 's3:GetObjectVersion') }),
      refusals: isMarker ? ['400 InvalidRequest', '404 NoSuchKey'] : ['404 NoSuchKey'],
      outcome: async ({ owner, caller, key }) => {
        const [object = '', marker = ''] = await deletedSource(owner, `/${bucket}/${key}`);
        const headers = { 'x-amz-copy-source': isMarker ? marker : object };
        const path = `/${plain}/${key}`;
        const whole = { method: 'PUT', path, headers };
        const call = operation === 'CopyObject' ? whole : await partCall(owner, path, headers);
        const answered = await caller.send(call);
        return { answered, isCarriedOut: answered.text.includes('Result') };
      },
    }),
  ),
);

const rangeCase: RefusalCase = {
  operation: 'UploadPartCopy',
  request: '`x-amz-copy-source-range: bytes=1-`',
  refusals: ['400 InvalidArgument'],
  outcome: async ({ owner, caller, key }) => {
    const path = `/${plain}/${key}`;
    await owner.must({ method: 'PUT', path, body: 'abc' });
    const headers = { 'x-amz-copy-source': path, 'x-amz-copy-source-range': 'bytes=1-' };
    const answered = await caller.send(await partCall(owner, path, headers));
    return { answered, isCarriedOut: answered.status === 200 };
  },
};

const legalHold = { 'x-amz-object-lock-legal-hold': 'ON' };

const lockCases: readonly RefusalCase[] = [
  { operation: 'PutObject', method: 'PUT', query: {} },
  { operation: 'CopyObject', method: 'PUT', query: {} },
  { operation: 'CreateMultipartUpload', method: 'POST', query: { uploads: '' } },
].map(({ operation, method, query }) => ({
  operation,
  request: '`x-amz-object-lock-legal-hold` in a bucket without object lock',
  refusals: ['400 InvalidRequest'],
  outcome: async ({ owner, caller, key }) => {
    const path = `/${plain}/${key}`;
    await owner.must({ method: 'PUT', path, body: 'old' });
    await owner.must({ method: 'PUT', path: `${path}-source`, body: 'new' });
    const headers =
      operation === 'CopyObject' ? { ...legalHold, 'x-amz-copy-source': `${path}-source` } : legalHold;
    const body = operation === 'PutObject' ? 'new' : '';
    const answered = await caller.send({ method, path, query, headers, body });
    const { text } = await owner.must({ method: 'GET', path });
    return { answered, isCarriedOut: answered.status === 200 || text !== 'old' };
  },
}));

const abortedCase: RefusalCase = {
  operation: 'CompleteMultipartUpload',
  request: 'an upload that has been aborted, where the key has an object',
  refusals: ['404 NoSuchUpload'],
  outcome: async ({ owner, caller, key }) => {
    const path = `/${plain}/${key}`;
    await owner.must({ method: 'PUT', path, body: 'old' });
    const { query, body } = await uploadedPart(owner, path);
    await owner.must({ method: 'DELETE', path, query });
    const answered = await caller.send({ method: 'POST', path, query, body });
    return { answered, isCarriedOut: answered.text.includes('Result') };
  },
};

/** Uploads one part, and returns what completes the upload. */
export async function uploadedPart(
  owner: SignedCaller,
  path: string,
): Promise<{ readonly query: { readonly uploadId: string }; readonly body: string }> {
  const uploadId = await startUpload(owner, path);
  const { headers } = await owner.must({
    method: 'PUT',
    path,
    query: { partNumber: '1', uploadId },
    body: 'part',
  });
  const etag = String(headers['etag']).replaceAll('"', '');
  const body = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
  return { query: { uploadId }, body };
}

const oddCases: readonly RefusalCase[] = [
  { operation: 'PutObject', isDeleted: false },
  { operation: 'PutObject', isDeleted: true },
  { operation: 'DeleteObject', isDeleted: false },
  { operation: 'DeleteObjects', isDeleted: false },
].map(({ operation, isDeleted }) => ({
  operation,
  request: `\`dir//key\`, which takes away versions of ${isDeleted ? 'the deleted ' : ''}\`dir/key\``,
  // The second where they are different objects.
  refusals: ['400 InvalidRequest', operation === 'DeleteObject' ? '204 ' : '200 '],
  outcome: async ({ owner, caller, key }) => {
    const path = `/${versioned}/dir/${key}`;
    const { headers } = await owner.must({ method: 'PUT', path, body: 'old' });
    if (isDeleted) await owner.must({ method: 'DELETE', path });
    const answered = await caller.send(oddCall(operation, key));
    const query = { versionId: String(headers['x-amz-version-id']) };
    const kept = await owner.send({ method: 'HEAD', path, query });
    return { answered, isCarriedOut: kept.status !== 200 };
  },
}));

function oddCall(operation: string, key: string): Call {
  const path = `/${versioned}/dir//${key}`;
  if (operation === 'PutObject') return { method: 'PUT', path, body: 'new' };
  if (operation === 'DeleteObject') return { method: 'DELETE', path };
  const body = `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>dir//${key}</Key></Object></Delete>`;
  const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
  return { method: 'POST', path: `/${versioned}`, query: { delete: '' }, headers, body };
}

/** Every case, in the order of the tables. */
export const refusalCases: readonly RefusalCase[] = [
  ...deletedCases,
  rangeCase,
  ...lockCases,
  abortedCase,
  ...oddCases,
];
