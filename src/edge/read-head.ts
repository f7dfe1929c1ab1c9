import type { IncomingMessage } from 'node:http';
import { HeaderList, maxHeaders } from '../core/header-list.ts';
import { type RawRequest, readRawRequest } from '../core/raw-request.ts';
import { bucketOfHost } from '../s3/addressing.ts';
import { isStsRequest } from '../sts/query-request.ts';
import { HeadFault } from './head-fault.ts';
import { maxConditionHeader } from './limits.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** Facts about a request that are not in its message. */
export interface HeadFacts {
  readonly clientAddress: string;
  /** True for a connection with TLS. */
  readonly isSecure: boolean;
  readonly receivedAtMs: number;
  readonly requestId: string;
  readonly isExpectationUnknown: boolean;
}

/**
 * Reads the head of a request, and applies the `X-Forwarded-*` headers of trusted proxies.
 * @throws HeadFault for a head that is ambiguous or cannot be read
 */
export function readHead(
  message: IncomingMessage,
  { isExpectationUnknown, ...facts }: HeadFacts,
  trustedProxies: TrustedProxies,
): RawRequest {
  if (message.rawHeaders.length > 2 * maxHeaders) throw new HeadFault('too_many_headers');
  requireFewParameters(message.url ?? '');
  const arrived = readRawRequest(message, facts);
  if (arrived === undefined) throw new HeadFault('target');
  if (arrived.headers.count('host') !== 1) throw new HeadFault('host');
  requireChunkedOnly(arrived.headers, message.httpVersion);
  if (isExpectationUnknown) throw new HeadFault('expectation');
  const raw = trustedProxies.seenThrough(arrived);
  for (const name of ['user-agent', 'referer']) {
    if ((raw.headers.get(name)?.length ?? 0) > maxConditionHeader) {
      throw new HeadFault('header_too_long', `The ${name} header is too long.`);
    }
  }
  return raw;
}

/** No action takes as many. Each parameter is kept with its raw and its decoded form, some 115 bytes for a single letter. */
const maxQueryParameters = 256;

function requireFewParameters(target: string): void {
  const query = target.indexOf('?');
  let count = 1;
  for (let at = query < 0 ? -1 : target.indexOf('&', query); at >= 0; at = target.indexOf('&', at + 1))
    count += 1;
  if (count > maxQueryParameters) throw new HeadFault('too_many_parameters');
}

// Node reads `x, chunked` as chunked. A proxy in front may read it differently and smuggle a request.
function requireChunkedOnly(headers: HeaderList, httpVersion: string): void {
  const codings = headers.getAll('transfer-encoding');
  if (codings.length === 0) return;
  // HTTP/1.0 has no transfer codings (RFC 9112, section 6.1).
  const isKnown = codings.length === 1 && codings[0]?.toLowerCase() === 'chunked' && httpVersion !== '1.0';
  if (!isKnown) throw new HeadFault('transfer_coding');
}

/** True for a request to STS: it has the form of one, and its Host names no bucket. */
export function isForSts(raw: RawRequest, virtualHosts: readonly string[]): boolean {
  return isStsRequest(raw) && bucketOfHost(raw.headers.get('host') ?? '', virtualHosts) === undefined;
}

/** A stand-in for a request whose head was refused, with what its answer needs. */
export function refusedHead(message: IncomingMessage, facts: HeadFacts): RawRequest {
  const [path = '', query = ''] = (message.url ?? '').split('?', 2);
  // The query cannot be parsed; `Action` alone decides whether the answer is STS or S3.
  const hasAction = query.split('&', 1000).some((piece) => piece.startsWith('Action='));
  const action = { name: 'Action', value: '', rawName: 'Action', rawValue: '', hasValue: true };
  const { clientAddress, isSecure, receivedAtMs, requestId } = facts;
  return {
    method: message.method ?? '',
    path,
    query: '',
    parameters: hasAction ? [action] : [],
    headers: HeaderList.fromRaw(message.rawHeaders),
    clientAddress,
    isSecure,
    receivedAtMs,
    requestId,
  };
}
