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

/** Every case, in the order of the tables. */
export const refusalCases: readonly RefusalCase[] = [...deletedCases, rangeCase];
