import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { testNowMs, type WireRequest } from './raw-requests.ts';

/** What to sign, decoded; the signer encodes it. */
export interface RequestToSign {
  readonly method: string;
  /** Already percent-encoded, as an SDK would send it. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

export interface TestCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Percent-encodes one query piece the way the AWS SDKs do. */
export function encodePiece(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Signs with the AWS SDK's own signer and returns the request as it would stand on the wire. */
export async function signWithSmithy(
  request: RequestToSign,
  credentials: TestCredentials,
  options: { readonly service?: string; readonly region?: string; readonly nowMs?: number } = {},
): Promise<WireRequest> {
  const { service = 's3', region = 'us-east-1', nowMs = testNowMs } = options;
  const signer = new SignatureV4({
    service,
    region,
    credentials,
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: service === 's3',
  });
  const signed = await signer.sign(
    {
      method: request.method,
      protocol: 'http:',
      hostname: 'localhost',
      path: request.path,
      query: { ...request.query },
      headers: { ...request.headers },
    },
    { signingDate: new Date(nowMs) },
  );
  const query = Object.entries(request.query)
    .map(([name, value]) => `${encodePiece(name)}=${encodePiece(value)}`)
    .join('&');
  return {
    method: request.method,
    target: query === '' ? request.path : `${request.path}?${query}`,
    headers: Object.entries(signed.headers).map(([name, value]) => [
      name,
      Buffer.from(value, 'utf8').toString('latin1'),
    ]),
  };
}

/** Presigns with the AWS SDK's own signer and returns the request as it would stand on the wire. */
export async function presignWithSmithy(
  request: RequestToSign,
  credentials: TestCredentials,
  options: {
    readonly service?: string;
    readonly nowMs?: number;
    readonly expiresIn?: number;
    /** Headers to sign as headers instead of moving them into the query. */
    readonly unhoistable?: readonly string[];
  } = {},
): Promise<WireRequest> {
  const { service = 's3', nowMs = testNowMs, expiresIn = 900, unhoistable = [] } = options;
  const signer = new SignatureV4({
    service,
    region: 'us-east-1',
    credentials,
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  });
  const isS3 = service === 's3';
  const presigned = await signer.presign(
    {
      method: request.method,
      protocol: 'http:',
      hostname: 'localhost',
      path: request.path,
      query: { ...request.query },
      headers: { ...request.headers, ...(isS3 ? { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } : {}) },
    },
    { signingDate: new Date(nowMs), expiresIn, unhoistableHeaders: new Set(unhoistable) },
  );
  const query = Object.entries(presigned.query ?? {})
    .map(([name, value]) => `${encodePiece(name)}=${encodePiece(String(value ?? ''))}`)
    .join('&');
  return {
    method: request.method,
    target: `${request.path}?${query}`,
    headers: Object.entries(presigned.headers).map(([name, value]) => [name, value]),
  };
}
