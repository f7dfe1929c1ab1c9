import { climbsOut } from '../core/path-key.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { s3Error } from './errors.ts';
import { knownSelectors, type OperationRow } from './operations/index.ts';
import { isStoreId, isUploadId, requireVersionId } from './store-id.ts';
import { isStoresKey, storeNameRefused } from './store-names.ts';

// No client sends more than a dozen.
const maxParameters = 100;

const payloadHash = 'x-amz-content-sha256';

/**
 * The query parameters by name, without those that AWS ignores.
 * @throws `InvalidArgument` for a repeated one
 */
export function readParameters(raw: RawRequest): ReadonlyMap<string, string> {
  const sent = new Map<string, string>();
  if (raw.parameters.length > maxParameters) throw s3Error('InvalidArgument', 'Too many query parameters.');
  for (const { name, value } of raw.parameters) {
    if (isIgnored(name)) continue;
    const written = isPayloadHash(name) ? payloadHash : name;
    if (sent.has(written)) throw s3Error('InvalidArgument', 'A query parameter is repeated.');
    sent.set(written, value);
  }
  // The query may repeat the header. If the values differ, the parameter stays, and is refused as unknown.
  if (sent.has(payloadHash) && sent.get(payloadHash) === raw.headers.get(payloadHash))
    sent.delete(payloadHash);
  return sent;
}

function isPayloadHash(name: string): boolean {
  return name.length === payloadHash.length && name.toLowerCase() === payloadHash;
}

// AWS ignores parameters that start with `x-`. They are dropped, so that the store cannot give them a meaning.
function isIgnored(name: string): boolean {
  const lower = name.toLowerCase();
  return lower.startsWith('x-') && !lower.startsWith('x-amz-');
}

/**
 * The parameters to forward. Either all are forwarded, or the request is refused, because the operation does not know
 * one or a value could be read in two ways. An upload id that cannot exist is accepted here: see
 * {@link isImpossibleUpload}.
 * @throws `InvalidArgument`
 */
export function acceptParameters(
  { operation, accepted, valueless }: OperationRow,
  sent: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  for (const [name, value] of sent) {
    if (!accepted.has(name)) {
      const fault = knownSelectors.has(name) ? 'conflicts with' : 'is not known to';
      throw s3Error(
        'InvalidArgument',
        `The query parameter ${name.slice(0, 64)} ${fault} ${operation.name}.`,
      );
    }
    if (valueless.has(name) && value !== '') {
      throw s3Error('InvalidArgument', `The query parameter ${name} takes no value.`);
    }
    checkValue(name, value);
  }
  return sent;
}

const integerRanges: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['max-annotation-results', [0, 2_147_483_647]],
  ['max-keys', [0, 2_147_483_647]],
  ['max-buckets', [1, 10_000]],
  ['max-parts', [0, 2_147_483_647]],
  ['max-uploads', [0, 2_147_483_647]],
  ['part-number-marker', [0, 2_147_483_647]],
  ['partNumber', [1, 10_000]],
]);
/** The store copies these values into response headers, where a line break would inject another header (CVE-2020-1760). */
const becomesHeader = 'response-';
const control = /[\u0000-\u0008\u000a-\u001f\u007f]/;
const neverEmpty: ReadonlySet<string> = new Set(['annotationName']);

/** Whether the upload id is one that no store gives to this key. Such a request may not be forwarded. */
export function isImpossibleUpload(parameters: ReadonlyMap<string, string>): boolean {
  const uploadId = parameters.get('uploadId');
  return uploadId !== undefined && !isUploadId(uploadId);
}

function checkVersion(value: string): void {
  if (value === '') throw s3Error('InvalidArgument', 'Version id cannot be the empty string');
  requireVersionId(value);
}

function checkValue(name: string, value: string): void {
  const range = integerRanges.get(name);
  if (range !== undefined) {
    const [least, most] = range;
    const number = /^(?:0|[1-9]\d{0,9})$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= least && number <= most)) {
      throw s3Error(
        'InvalidArgument',
        `The query parameter ${name} must be an integer from ${least} to ${most}.`,
      );
    }
  }
  if (neverEmpty.has(name) && value.trim() === '') {
    throw s3Error('InvalidArgument', `The query parameter ${name} must not be empty.`);
  }
  if (name.startsWith(becomesHeader) && control.test(value)) {
    throw s3Error('InvalidArgument', `The query parameter ${name} cannot be the value of a header.`);
  }
  if (name === 'versionId') checkVersion(value);
  if (name === 'id' && !isStoreId(value)) {
    throw s3Error('InvalidArgument', 'The query parameter id is not an id.');
  }
  if (name === 'prefix' && isStoresKey(value)) throw storeNameRefused('InvalidArgument');
  // A store that resolves prefixes as paths would list another bucket.
  if (name === 'prefix' && climbsOut(value)) {
    throw s3Error('InvalidArgument', 'The prefix must not climb out of the bucket.');
  }
}
