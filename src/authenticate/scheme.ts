import { AuthenticationFault } from '../core/authentication-fault.ts';
import type { RawRequest } from '../core/raw-request.ts';

/** Where a request carries its credentials. */
type Scheme =
  | 'v4-header'
  | 'v4-query'
  | 'v4a-header'
  | 'v2-header'
  | 'v2-query'
  | 'post-form'
  | 'other-header';

const v4QueryNames: ReadonlySet<string> = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-security-token',
  'x-amz-signature',
  'x-amz-signedheaders',
]);
const v2QueryNames: ReadonlySet<string> = new Set(['AWSAccessKeyId', 'Signature', 'Expires']);

class HeaderSignedRequest {
  // A private field makes the type nominal: only this file can say where the credentials are.
  readonly #raw: RawRequest;

  constructor(raw: RawRequest) {
    this.#raw = raw;
  }

  get raw(): RawRequest {
    return this.#raw;
  }
}

/** A request whose only credentials are a Signature V4 `Authorization` header, not yet verified. */
export type HeaderSigned = HeaderSignedRequest;

/**
 * Looks for every kind of credential a request could carry and accepts exactly one: a Signature V4
 * `Authorization` header. Two kinds at once are refused, because the store could believe the other one.
 * Throws {@link AuthenticationFault}.
 */
export function requireHeaderScheme(raw: RawRequest): HeaderSigned {
  const schemes = [...detectSchemes(raw)];
  const scheme = schemes[0];
  if (scheme === undefined) throw new AuthenticationFault('no_credentials');
  if (schemes.length > 1) throw new AuthenticationFault('several_credentials');
  switch (scheme) {
    case 'v4-header':
      return new HeaderSignedRequest(raw);
    case 'v4-query':
      throw new AuthenticationFault('presigned_unsupported');
    case 'v4a-header':
      throw new AuthenticationFault('signature_v4a');
    case 'v2-header':
    case 'v2-query':
      throw new AuthenticationFault('signature_v2');
    case 'post-form':
      throw new AuthenticationFault('post_form_unsupported');
    case 'other-header':
      throw new AuthenticationFault('malformed_authorization', {
        message: 'the authorization header is not AWS4-HMAC-SHA256',
      });
  }
}

function detectSchemes(raw: RawRequest): Set<Scheme> {
  const schemes = new Set<Scheme>();
  for (const value of raw.headers.getAll('authorization')) schemes.add(schemeOfHeader(value));
  for (const { name } of raw.parameters) {
    if (v4QueryNames.has(name.toLowerCase())) schemes.add('v4-query');
    if (v2QueryNames.has(name)) schemes.add('v2-query');
  }
  const contentType = raw.headers.get('content-type')?.toLowerCase() ?? '';
  if (raw.method === 'POST' && contentType.startsWith('multipart/form-data')) schemes.add('post-form');
  return schemes;
}

function schemeOfHeader(value: string): Scheme {
  if (value.startsWith('AWS4-HMAC-SHA256')) return 'v4-header';
  if (value.startsWith('AWS4-ECDSA-P256-SHA256')) return 'v4a-header';
  return value.startsWith('AWS ') ? 'v2-header' : 'other-header';
}
