import type { Dispatcher } from 'undici';
import type { Secret } from '../core/secret.ts';

/** One request to another service. */
export interface OutboundRequest {
  readonly url: string;
  /** Limit for the response body. */
  readonly maxBytes: number;
  /** Sent as `Authorization: Bearer`. */
  readonly bearer?: Secret;
  /** Sent unchanged as the value of `Authorization`. */
  readonly authorization?: Secret;
  /** Makes the request a POST with this value as JSON. */
  readonly json?: unknown;
  /** Makes the request a POST without a body. */
  readonly isEmptyPost?: boolean;
  /** Shortens the time limit. Never lengthens it. */
  readonly timeoutSeconds?: number;
  /** A status besides 2xx whose body `GuardedFetch.answer` reads too. */
  readonly readStatus?: number;
  /** Certificate authorities, PEM, trusted for this request instead of all others. */
  readonly caPem?: string;
  /** Requests of one pool share connections. A slow provider takes no connections from another, even at the same address. */
  readonly pool?: string;
  /**
   * The issuer whose discovery document names {@link url}. Such a document may name a loopback address only when the issuer
   * itself is on loopback.
   */
  readonly namedBy?: string;
}

/** What is sent to a collector, whose answer is a receipt. */
export interface Delivery {
  readonly url: string;
  readonly json: string;
  /** By name. Their values may be secrets. */
  readonly headers: ReadonlyMap<string, Secret>;
  /** As in {@link OutboundRequest}. */
  readonly pool: string;
}

// RFC 7517, section 8.5.2. With `application/json` alone, the API server of Kubernetes answers 406 for its keys (1.34).
const acceptedTypes = 'application/json, application/jwk-set+json';

/** What is sent for a request, besides its URL. */
export function toOptions({
  bearer,
  authorization,
  json,
  isEmptyPost = false,
}: OutboundRequest): Pick<Dispatcher.RequestOptions, 'method' | 'headers' | 'body'> {
  const headers: Record<string, string> = { accept: acceptedTypes };
  if (bearer !== undefined) headers['authorization'] = `Bearer ${bearer.reveal()}`;
  if (authorization !== undefined) headers['authorization'] = authorization.reveal();
  if (isEmptyPost) return { method: 'POST', headers };
  if (json === undefined) return { method: 'GET', headers };
  return {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(json),
  };
}
