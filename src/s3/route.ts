/*
 * This folder knows the S3 protocol: its operations, with their parameters, headers, documents and permissions, and its
 * error codes.
 * In: a `RawRequest`, and the body of an operation that has a document. Out: one `S3Request`, or an S3 error.
 * It never guesses: what it does not recognise is refused.
 * It never talks to the store, and never decides whether the caller has the permissions that it lists.
 */

import type { RawRequest } from '../core/raw-request.ts';
import type { ServiceError } from '../core/service-error.ts';
import type { StoreFeature } from '../core/store-feature.ts';
import { checkAclHeaders } from './acl-headers.ts';
import { resolveAddress } from './addressing.ts';
import { bucketFilter } from './bucket-filter.ts';
import { s3ConditionKeys } from './condition-keys.ts';
import { type CopySource, parseCopySource, writeCopySource } from './copy-source.ts';
import { s3Error } from './errors.ts';
import { expectsOtherOwner, selectHeaders } from './header-table.ts';
import type { ForwardedHeaders, OperationScope, S3Operation, S3Request } from './operation.ts';
import { type OperationRow, operationsFor } from './operations/index.ts';
import { acceptParameters, isImpossibleUpload, readParameters } from './parameters.ts';
import { permissionsOf } from './permissions.ts';
import { preflightRequest } from './preflight.ts';
import { requireFeature } from './store-features.ts';

/** What routing must know of the configuration. */
export interface RouteSettings {
  readonly virtualHosts: readonly string[];
  readonly accountId: string;
  readonly partition: string;
  /** Optional store features (`backend.supports`). */
  readonly supports: ReadonlySet<StoreFeature>;
}

/**
 * Classifies a request as exactly one operation. Another operation's selector, an unknown or repeated parameter, or an
 * unknown header is refused rather than guessed at: what is authorized must be what the store performs. What else is
 * known to fail is the `refusal` of the result.
 * @throws S3 errors about the head alone: `InvalidURI`, `InvalidBucketName`, `InvalidArgument`, `MethodNotAllowed`,
 * `NotImplemented`
 */
export function route(raw: RawRequest, settings: RouteSettings): S3Request {
  const { bucket, key } = resolveAddress(raw, settings.virtualHosts);
  const scope: OperationScope = bucket === '' ? 'service' : key === '' ? 'bucket' : 'object';
  const sent = readParameters(raw);
  const row = classify(raw, scope, sent);
  const { operation } = row;
  const parameters = acceptParameters(row, sent);
  if (operation.isPreflight === true)
    return preflightRequest(raw, operation, { bucket, key }, settings.supports);
  if (operation.action === undefined) {
    throw s3Error('NotImplemented', `${operation.name} is not supported by this version of the endpoint.`);
  }
  requireSupport(operation, settings);
  const sentHeaders = selectHeaders(raw, row);
  requireHeaders(operation, sentHeaders);
  requireConditions(operation, sentHeaders, settings.supports);
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
    supports: settings.supports,
    copySource,
    permissions,
    conditionKeys: s3ConditionKeys(requested, settings.accountId),
    tagCopy,
    bucketFilter: bucketFilter(requested, settings),
    seesMissing,
    guardedHeaders,
    refusal: refusalOf(raw, parameters, settings),
  };
}

// Clients that clean up treat NoSuchUpload as success, and AWS has no other code for an invalid upload id.
function refusalOf(
  raw: RawRequest,
  parameters: ReadonlyMap<string, string>,
  { accountId }: RouteSettings,
): ServiceError | undefined {
  if (expectsOtherOwner(raw, accountId)) return s3Error('AccessDenied');
  return isImpossibleUpload(parameters) ? s3Error('NoSuchUpload') : undefined;
}

// A store that ignores the selector performs another operation: without annotations, it would delete the object itself.
function requireSupport({ name, unlessKnown }: S3Operation, { supports }: RouteSettings): void {
  if (unlessKnown === undefined || unlessKnown === 'probe' || supports.has(unlessKnown)) return;
  throw s3Error('NotImplemented', `${name} is not supported by this endpoint.`);
}

function requireHeaders({ requiredHeaders = [] }: S3Operation, headers: ForwardedHeaders): void {
  const missing = requiredHeaders.find((name) => !headers.has(name));
  if (missing !== undefined) throw s3Error('InvalidArgument', `The header ${missing} is missing.`);
}

// A store that ignores the condition overwrites or deletes what it protects, although a policy may require the condition.
function requireConditions(
  { name, conditions }: S3Operation,
  headers: ForwardedHeaders,
  supports: ReadonlySet<StoreFeature>,
): void {
  if (conditions === undefined) return;
  for (const [header, feature] of conditions) {
    if (headers.has(header)) requireFeature(feature, `${name} with ${header}`, supports);
  }
}

interface HeadersAndSource {
  readonly headers: ForwardedHeaders;
  readonly copySource?: CopySource;
}

// Parsed once: permissions, context keys and the forwarded header all come from the same result.
function withCopySource({ copies }: S3Operation, headers: ForwardedHeaders): HeadersAndSource {
  if (copies === undefined) return { headers };
  // With COPY, the store would set other tags than the policies saw.
  if (headers.has('x-amz-tagging') && headers.get('x-amz-tagging-directive') !== 'REPLACE') {
    throw s3Error('InvalidArgument', 'x-amz-tagging needs x-amz-tagging-directive: REPLACE.');
  }
  const copySource = parseCopySource(headers.get('x-amz-copy-source') ?? '');
  return { headers: new Map(headers).set('x-amz-copy-source', writeCopySource(copySource)), copySource };
}

function classify(raw: RawRequest, scope: OperationScope, sent: ReadonlyMap<string, string>): OperationRow {
  const candidates = operationsFor(raw.method, scope);
  if (candidates.length === 0) throw s3Error('MethodNotAllowed');
  // The table lists more specific rows first.
  for (const row of candidates) if (isSelected(row, raw, sent)) return row;
  throw s3Error('MethodNotAllowed');
}

function isSelected(
  { operation, selectors }: OperationRow,
  raw: RawRequest,
  sent: ReadonlyMap<string, string>,
): boolean {
  const { selectingHeader } = operation;
  if (selectingHeader !== undefined && !raw.headers.has(selectingHeader)) return false;
  for (const [name, wanted] of selectors) {
    const value = sent.get(name);
    if (wanted === undefined ? value === undefined : value !== wanted) return false;
  }
  return true;
}
