import type { RawRequest } from '../core/raw-request.ts';
import type { StoreFeature } from '../core/store-feature.ts';
import type { Address } from './addressing.ts';
import { s3Error } from './errors.ts';
import type { S3Operation, S3Request } from './operation.ts';

/** The headers of a preflight; nothing else of it is read or passed on (Fetch standard, "CORS protocol"). */
const preflightHeaders: readonly string[] = [
  'origin',
  'access-control-request-method',
  'access-control-request-headers',
];

// Methods that CORS rules of S3 can name.
const methods: ReadonlySet<string> = new Set(['GET', 'PUT', 'POST', 'DELETE', 'HEAD']);

const none: readonly never[] = [];

/**
 * Reads a CORS preflight. It has no permissions, so that it can never become an authorized request. Source: AWS
 * "Cross-origin resource sharing", on evaluating OPTIONS.
 * @throws `BadRequest` when it does not name an origin and a method, `InvalidArgument` for a repeated header
 */
export function preflightRequest(
  raw: RawRequest,
  operation: S3Operation,
  { bucket, key }: Address,
  supports: ReadonlySet<StoreFeature>,
): S3Request {
  const headers = new Map<string, string>();
  for (const name of preflightHeaders) {
    const [value, ...others] = raw.headers.getAll(name);
    if (others.length > 0) throw s3Error('InvalidArgument', `The ${name} header is repeated.`);
    if (value !== undefined) headers.set(name, value);
  }
  if ((headers.get('origin') ?? '') === '') {
    throw s3Error('BadRequest', 'Insufficient information. Origin request header needed.');
  }
  const method = headers.get('access-control-request-method');
  if (method === undefined || !methods.has(method)) {
    throw s3Error('BadRequest', `Invalid Access-Control-Request-Method: ${(method ?? 'null').slice(0, 32)}`);
  }
  return {
    raw,
    operation,
    bucket,
    key,
    parameters: new Map(),
    headers,
    supports,
    copySource: undefined,
    permissions: none,
    conditionKeys: none,
    tagCopy: undefined,
    bucketFilter: undefined,
    seesMissing: none,
    guardedHeaders: none,
    refusal: undefined,
  };
}
