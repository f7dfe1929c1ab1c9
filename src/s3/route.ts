import { climbsOut } from '../core/path-key.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { checkAclHeaders } from './acl-headers.ts';
import { resolveAddress } from './addressing.ts';
import { bucketFilter } from './bucket-filter.ts';
import { s3ConditionKeys } from './condition-keys.ts';
import { type CopySource, parseCopySource, writeCopySource } from './copy-source.ts';
import { s3Error } from './errors.ts';
import { selectHeaders } from './header-table.ts';
import type { ForwardedHeaders, OperationScope, S3Operation, S3Request, StoreFeature } from './operation.ts';
import { knownSelectors, type OperationRow, operationsFor } from './operations/index.ts';
import { permissionsOf } from './permissions.ts';
import { preflightRequest } from './preflight.ts';
import { isStoreId } from './store-id.ts';

/** What routing must know of the configuration. */
export interface RouteSettings {
  readonly virtualHosts: readonly string[];
  readonly accountId: string;
  readonly partition: string;
  /** What the store has of what hardly any store has. */
  readonly supports: ReadonlySet<StoreFeature>;
}

// AWS's own subresources number about forty; no client sends more than a dozen parameters.
const maxParameters = 100;

/**
 * Classifies a request as exactly one operation. Another operation's selector, an unknown or repeated parameter,
 * or an unknown header is refused rather than guessed at: what is authorized must be what the store performs.
 * Throws S3 errors: `InvalidURI`, `InvalidBucketName`, `InvalidArgument`, `MethodNotAllowed`, `NotImplemented`.
 */
export function route(raw: RawRequest, settings: RouteSettings): S3Request {
  const { bucket, key } = resolveAddress(raw, settings.virtualHosts);
  const scope: OperationScope = bucket === '' ? 'service' : key === '' ? 'bucket' : 'object';
  const sent = readParameters(raw);
  const row = classify(raw, scope, sent);
  const { operation } = row;
  const parameters = acceptParameters(row, sent);
  if (operation.isPreflight === true) return preflightRequest(raw, operation, { bucket, key });
  if (operation.action === undefined) {
    throw s3Error('NotImplemented', `${operation.name} is not supported by this version of the endpoint.`);
  }
  requireSupport(operation, settings);
  const sentHeaders = selectHeaders(raw, row, settings.accountId);
  requireHeaders(operation, sentHeaders);
  checkAclHeaders(sentHeaders);
  const { copySource, headers } = withCopySource(operation, sentHeaders);
  const { receivedAtMs } = raw;
  const requested = { operation, bucket, key, parameters, headers, copySource, receivedAtMs };
  const { permissions, tagCopy, seesMissing, guardedHeaders } = permissionsOf(requested, settings.partition);
  return {
    raw,
    operation,
    bucket,
    key,
    parameters,
    headers,
    copySource,
    permissions,
    conditionKeys: s3ConditionKeys(requested, settings.accountId),
    tagCopy,
    bucketFilter: bucketFilter(requested, settings),
    seesMissing,
    guardedHeaders,
  };
}

// Without its selector it would be another operation: a store that never heard of annotations deletes the object.
function requireSupport({ name, unlessKnown }: S3Operation, { supports }: RouteSettings): void {
  if (unlessKnown === undefined || unlessKnown === 'probe' || supports.has(unlessKnown)) return;
  throw s3Error('NotImplemented', `${name} is not supported by this endpoint.`);
}

function requireHeaders({ requiredHeaders = [] }: S3Operation, headers: ForwardedHeaders): void {
  const missing = requiredHeaders.find((name) => !headers.has(name));
  if (missing !== undefined) throw s3Error('InvalidArgument', `The header ${missing} is missing.`);
}

interface HeadersAndSource {
  readonly headers: ForwardedHeaders;
  readonly copySource?: CopySource;
}

// Read once; permissions, context and the header for the store all come from the result.
function withCopySource({ isCopy }: S3Operation, headers: ForwardedHeaders): HeadersAndSource {
  if (isCopy === undefined) return { headers };
  // With COPY it would describe other tags to the policies than those that are set.
  if (headers.has('x-amz-tagging') && headers.get('x-amz-tagging-directive') !== 'REPLACE') {
    throw s3Error('InvalidArgument', 'x-amz-tagging needs x-amz-tagging-directive: REPLACE.');
  }
  const copySource = parseCopySource(headers.get('x-amz-copy-source') ?? '');
  return { headers: new Map(headers).set('x-amz-copy-source', writeCopySource(copySource)), copySource };
}

function readParameters(raw: RawRequest): Map<string, string> {
  const sent = new Map<string, string>();
  if (raw.parameters.length > maxParameters) throw s3Error('InvalidArgument', 'Too many query parameters.');
  for (const { name, value } of raw.parameters) {
    if (isIgnored(name)) continue;
    if (sent.has(name)) throw s3Error('InvalidArgument', 'A query parameter is repeated.');
    sent.set(name, value);
  }
  return sent;
}

// AWS ignores query keys that start with `x-`; they are dropped, so the store cannot read anything into them.
function isIgnored(name: string): boolean {
  const lower = name.toLowerCase();
  return lower.startsWith('x-') && !lower.startsWith('x-amz-');
}

function classify(raw: RawRequest, scope: OperationScope, sent: ReadonlyMap<string, string>): OperationRow {
  const candidates = operationsFor(raw.method, scope);
  if (candidates.length === 0) throw s3Error('MethodNotAllowed');
  // The table lists more specific rows first.
  const row = candidates.find((candidate) => isSelected(candidate, raw, sent));
  if (row !== undefined) return row;
  throw s3Error('MethodNotAllowed');
}

function isSelected(
  { operation, selectors }: OperationRow,
  raw: RawRequest,
  sent: ReadonlyMap<string, string>,
): boolean {
  const { selectingHeader } = operation;
  if (selectingHeader !== undefined && !raw.headers.has(selectingHeader)) return false;
  return selectors.every(([name, wanted]) => {
    const value = sent.get(name);
    return wanted === undefined ? value !== undefined : value === wanted;
  });
}

function acceptParameters(
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
const neverEmpty: ReadonlySet<string> = new Set(['annotationName']);
const storeIds: ReadonlySet<string> = new Set(['id', 'uploadId', 'versionId']);

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
  if (storeIds.has(name) && !isStoreId(value)) {
    throw s3Error('InvalidArgument', `The query parameter ${name} is not an id.`);
  }
  // A store that takes prefixes for paths would list another bucket.
  if (name === 'prefix' && climbsOut(value)) {
    throw s3Error('InvalidArgument', 'The prefix must not climb out of the bucket.');
  }
}
