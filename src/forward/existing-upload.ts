import { createHash } from 'node:crypto';
import type { Authorized } from '../authorize/authorize-s3.ts';
import { type Asking, askStore, unclearAnswer } from './asking.ts';
import { StoreRefusalError } from './faults.ts';
import { storeHeader } from './response-headers.ts';
import { readStoreError, requireOwnKeyAccepted } from './store-error.ts';

/**
 * Refuses to complete an upload that does not exist. Where the key has an object, versitygw 1.8 answers 200 and changes
 * nothing (observed on 2026-11-29): the client takes its data for stored.
 *
 * A client that lost the answer to a completion sends it again. Ceph RGW and versitygw then answer 200. Such a repetition
 * passes, for callers who may read the object, if it is the one that its parts make: to others the answer would confirm a guess
 * at what the object contains.
 *
 * @throws StoreRefusalError `NoSuchUpload`
 * @throws UpstreamFault when the store fails
 */
export async function requireUpload(authorized: Authorized, asking: Asking): Promise<void> {
  const { bucket, key, parameters: sent } = authorized.request;
  const parameters = [
    { name: 'max-parts', value: '1' },
    { name: 'uploadId', value: sent.get('uploadId') ?? '' },
  ];
  const { status, body } = await askStore(asking, { method: 'GET', bucket, key, parameters });
  if (status >= 500) throw unclearAnswer(status, 'parts');
  const code = readStoreError(body)?.code;
  requireOwnKeyAccepted(code);
  // For anything else, the store's own answer to the request tells the client.
  if (status !== 404 || code === 'NoSuchBucket') return;
  if ((await mayRead(authorized)) && (await isMadeOfTheseParts(authorized, asking))) return;
  const text = 'The upload does not exist. It has been completed or aborted, or its id is invalid.';
  throw new StoreRefusalError('NoSuchUpload', 404, text);
}

async function mayRead(authorized: Authorized): Promise<boolean> {
  const [own] = authorized.request.permissions;
  if (own === undefined) return false;
  const reading = { ...own, action: 's3:GetObject' };
  await authorized.decide([reading]);
  return authorized.permits(reading);
}

async function isMadeOfTheseParts({ request, document }: Authorized, asking: Asking): Promise<boolean> {
  const { bucket, key } = request;
  const { status, headers } = await askStore(asking, { method: 'HEAD', bucket, key });
  const etag = status === 200 ? storeHeader(headers, 'etag') : undefined;
  return etag !== undefined && document !== undefined && etag.replaceAll('"', '') === etagOfParts(document);
}

/** AWS's limit. An object of more parts cannot have been made of them. */
const maxParts = 10_000;
const tag = 'ETag>';
const etagOfPart = /\s{0,16}(?:"|&quot;|&#34;)?([0-9a-f]{32})(?:"|&quot;|&#34;)?\s{0,16}</y;

/**
 * The digest of the digests of the parts, and their number. Decides nothing but whether the store may read the document, which
 * nothing has parsed: it may hold a hundred thousand tags.
 */
function etagOfParts(document: Buffer): string | undefined {
  const text = document.toString('latin1');
  let digests = '';
  let tags = 0;
  for (let at = text.indexOf(tag); at >= 0; at = text.indexOf(tag, at + tag.length)) {
    tags += 1;
    if (tags > 2 * maxParts) return undefined;
    etagOfPart.lastIndex = at + tag.length;
    digests += etagOfPart.exec(text)?.[1] ?? '';
  }
  const digest = createHash('md5').update(digests, 'hex').digest('hex');
  return `${digest}-${digests.length / 32}`;
}
