import { AuthenticationFault } from '../core/authentication-fault.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { withoutPresigning } from '../sigv4/hoisted-headers.ts';
import { isPresignedParameter } from '../sigv4/presigned-query.ts';

/** Where a request carries its credentials. */
type Scheme =
  | 'v4-header'
  | 'v4-query'
  | 'v4a-header'
  | 'v2-header'
  | 'v2-query'
  | 'post-form'
  | 'other-header';

const v2QueryNames: ReadonlySet<string> = new Set(['AWSAccessKeyId', 'Signature', 'Expires']);

/** Where a Signature V4 is carried: in the `Authorization` header, in the query, or in a form that is posted. */
export type SignatureForm = 'header' | 'query' | 'form';

class SignatureClaimOfRequest {
  // A private field makes the type nominal: only this file can say where the credentials are.
  readonly #raw: RawRequest;
  readonly form: SignatureForm;
  /** What is asked for: the request itself, or a presigned one without its signing parameters. */
  readonly request: RawRequest;

  constructor(raw: RawRequest, form: SignatureForm) {
    this.#raw = raw;
    this.form = form;
    this.request = form === 'header' ? raw : withoutPresigning(raw);
  }

  /** The request as it arrived, which is what was signed. */
  get raw(): RawRequest {
    return this.#raw;
  }
}

/** A request with exactly one kind of credentials, a Signature V4; not yet verified. */
export type SignatureClaim = SignatureClaimOfRequest;

/**
 * Looks for every kind of credential a request could carry and accepts exactly one Signature V4, in the header or
 * in the query. Two kinds at once are refused, because the store could believe the other one.
 * @throws AuthenticationFault
 */
export function requireSignature(raw: RawRequest): SignatureClaim {
  switch (onlyScheme(raw)) {
    case 'v4-header':
      return new SignatureClaimOfRequest(raw, 'header');
    case 'v4-query':
      return new SignatureClaimOfRequest(raw, 'query');
    case 'v4a-header':
      throw new AuthenticationFault('signature_v4a');
    case 'v2-header':
    case 'v2-query':
      throw new AuthenticationFault('signature_v2');
    case 'post-form':
      throw new AuthenticationFault('misplaced_form');
    case 'other-header':
      throw new AuthenticationFault('unsupported_authorization', {
        message: 'the authorization header is not AWS4-HMAC-SHA256',
      });
  }
}

/** True for a request that has no credentials of any kind, not even an empty `Authorization` header, or a session token alone. */
export function hasNoCredentials(raw: RawRequest): boolean {
  if (raw.headers.has('authorization') || raw.headers.has('x-amz-security-token')) return false;
  return findScheme(raw) === undefined;
}

/**
 * Requires that a request has no credentials of AWS, which are not meant for the store. Those of another scheme may be.
 * @throws AuthenticationFault `no_credentials`, `several_credentials`
 */
export function requireNoAwsCredentials(raw: RawRequest): void {
  const scheme = findScheme(raw);
  const hasToken = raw.headers.has('x-amz-security-token');
  if (hasToken || (scheme !== undefined && scheme !== 'other-header'))
    throw new AuthenticationFault('no_credentials');
}

/**
 * Requires that a form which is posted to a bucket carries its credentials itself: none in the head of its request, and no header there
 * that only a signature could vouch for.
 * @throws AuthenticationFault `several_credentials`, `headers_not_signed`
 */
export function requireFormOnly(raw: RawRequest): void {
  if (onlyScheme(raw) !== 'post-form') throw new AuthenticationFault('several_credentials');
  const unsigned = [...raw.headers].flatMap(({ name }) => (name.startsWith('x-amz-') ? [name] : []));
  if (unsigned.length > 0)
    throw new AuthenticationFault('headers_not_signed', { headersNotSigned: unsigned });
}

function onlyScheme(raw: RawRequest): Scheme {
  const scheme = findScheme(raw);
  if (scheme === undefined) throw new AuthenticationFault('no_credentials');
  return scheme;
}

function findScheme(raw: RawRequest): Scheme | undefined {
  let scheme: Scheme | undefined;
  const detect = (detected: Scheme): void => {
    if (scheme !== undefined && scheme !== detected) throw new AuthenticationFault('several_credentials');
    scheme = detected;
  };
  for (const { name, value } of raw.headers) {
    // An empty one is treated as absent.
    if (name === 'authorization' && value !== '') detect(schemeOfHeader(value));
  }
  for (const { name } of raw.parameters) {
    if (isSigning(name)) detect('v4-query');
    if (v2QueryNames.has(name)) detect('v2-query');
  }
  if (raw.method === 'POST' && isForm(raw)) detect('post-form');
  return scheme;
}

function isForm({ headers }: RawRequest): boolean {
  return headers.get('content-type')?.toLowerCase().startsWith('multipart/form-data') === true;
}

// This parameter alone is not a credential.
function isSigning(name: string): boolean {
  return isPresignedParameter(name) && name.toLowerCase() !== 'x-amz-content-sha256';
}

function schemeOfHeader(value: string): Scheme {
  if (value.startsWith('AWS4-HMAC-SHA256')) return 'v4-header';
  if (value.startsWith('AWS4-ECDSA-P256-SHA256')) return 'v4a-header';
  return value.startsWith('AWS ') ? 'v2-header' : 'other-header';
}
