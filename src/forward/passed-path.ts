import type { RawRequest } from '../core/raw-request.ts';
import { HttpFault } from '../http-client/http-fault.ts';
import type { ClientSide, RelayFacts } from './client-answer.ts';
import type { OutgoingHead } from './outgoing-request.ts';
import { PathRelay } from './path-relay.ts';
import { toUpstreamFault, type Upstream } from './upstream.ts';

/** Headers of a read that reach the store. */
const passed: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'authorization',
  'cache-control',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'origin',
  'range',
  'referer',
  'user-agent',
]);

/**
 * Sends a GET or HEAD of a path to the store, unsigned, and streams the answer. `Host` is the store's: a name of the client's choice
 * could be that of a bucket there.
 * @param host of the store
 * @throws UpstreamFault, ClientGoneError
 */
export async function passPath(
  { method, path, query, headers }: RawRequest,
  { upstream, host }: { readonly upstream: Upstream; readonly host: string },
  client: Pick<ClientSide, 'message' | 'response' | 'ownHeaders' | 'traceHeaders'>,
): Promise<RelayFacts> {
  const sent = ['host', host, ...client.traceHeaders];
  for (const { name, value } of headers) if (passed.has(name)) sent.push(name, value);
  const head = { method, target: query === '' ? path : `${path}?${query}`, headers: sent };
  try {
    return await relay(head, false);
  } catch (error) {
    if (!(error instanceof HttpFault && error.isStale)) throw toUpstreamFault(error);
  }
  return relay(head, true).catch((error: unknown) => {
    throw toUpstreamFault(error);
  });

  function relay(outgoing: OutgoingHead, isFresh: boolean): Promise<RelayFacts> {
    const answer = new PathRelay(client);
    answer.begin(upstream.start({ head: outgoing, isFresh }, answer));
    return answer.finished;
  }
}
