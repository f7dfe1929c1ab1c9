import { collapseOws, type HeaderField } from '../core/header-list.ts';
import type { Secret } from '../core/secret.ts';
import { algorithm } from './authorization-header.ts';
import { canonicalPath, canonicalQuery } from './canonical-request.ts';
import { formatBasicDateTime, formatScope } from './credential-scope.ts';
import type { SigningKeyCache } from './signing-key.ts';
import { stringToSign } from './string-to-sign.ts';

/** The long-term key that signs outgoing requests. */
export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
}

/** One outgoing request to sign. */
export interface OutgoingRequest {
  readonly method: string;
  /** The path exactly as it will be sent. */
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly value: string }[];
  /** Every header that will be sent, `host` included, names in lower case. */
  readonly headers: readonly HeaderField[];
  /** What goes into `x-amz-content-sha256`. */
  readonly payloadHash: string;
}

/** Where and when an outgoing request is signed for. */
export interface SigningScope {
  readonly region: string;
  readonly service: string;
  readonly nowMs: number;
}

/**
 * Signs with Signature V4 and returns the headers to send: those given, `x-amz-date`, `x-amz-content-sha256` and
 * `authorization`. Signs `host`, `content-type` and every `x-amz-*`.
 */
export function signRequest(
  request: OutgoingRequest,
  credentials: SigningCredentials,
  target: SigningScope,
  keys: SigningKeyCache,
): HeaderField[] {
  const timestamp = formatBasicDateTime(target.nowMs);
  const scope = { date: timestamp.slice(0, 8), region: target.region, service: target.service };
  const headers: HeaderField[] = [
    ...request.headers,
    { name: 'x-amz-date', value: timestamp },
    { name: 'x-amz-content-sha256', value: request.payloadHash },
  ];
  const { method, path, payloadHash } = request;
  const { names, canonical } = signedPart(headers);
  const query = canonicalQuery(request.parameters);
  const text = `${method}\n${canonicalPath(path) ?? ''}\n${query}\n${canonical}\n${names}\n${payloadHash}`;
  const toSign = stringToSign(timestamp, scope, text);
  const { key, keep } = keys.find(credentials.secretAccessKey, scope);
  keep();
  const signature = key.sign(toSign);
  const credential = `${credentials.accessKeyId}/${formatScope(scope)}`;
  headers.push({
    name: 'authorization',
    value: `${algorithm} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
  });
  return headers;
}

/** The list of signed headers, and their lines in the canonical request, in one pass. */
function signedPart(headers: readonly HeaderField[]): { readonly names: string; readonly canonical: string } {
  const signed = headers.filter(({ name }) => isSigned(name));
  signed.sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
  let names = '';
  let canonical = '';
  let last = '';
  for (const { name, value } of signed) {
    if (name === last) canonical += `,${collapseOws(value)}`;
    else {
      names += last === '' ? name : `;${name}`;
      canonical += `${last === '' ? '' : '\n'}${name}:${collapseOws(value)}`;
    }
    last = name;
  }
  return { names, canonical: `${canonical}\n` };
}

function isSigned(name: string): boolean {
  return name === 'host' || name === 'content-type' || name.startsWith('x-amz-');
}
