import type { Identified } from '../authorize/asker.ts';
import type { SuccessAnswer } from '../forward/client-answer.ts';
import type { Exchange } from '../forward/forward.ts';
import type { S3Request } from '../s3/operation.ts';
import type { ClientConnection } from './client-connection.ts';

interface FurtherParts extends Pick<Exchange, 'traceHeaders'> {
  /** Given the URL of the object, and its ETag. */
  readonly success?: ((url: string, etag: string) => SuccessAnswer) | undefined;
}

/**
 * The client's side of a forwarded request. A class, because each object literal with an accessor gets a hidden class of
 * its own, which keeps the whole request alive until the next full collection.
 */
export class StoreExchange implements Exchange {
  readonly message: Exchange['message'];
  readonly response: Exchange['response'];
  readonly invite: () => void;
  readonly ownHeaders: readonly string[];
  readonly url: string;
  readonly recheck: Exchange['recheck'];
  readonly success: Exchange['success'];
  readonly traceHeaders: Exchange['traceHeaders'];
  readonly #place: ClientConnection['place'];

  constructor(
    { request: { raw } }: { readonly request: S3Request },
    identified: Pick<Identified, 'recheck'>,
    { message, response, invite, ownHeaders, place, clock }: ClientConnection,
    { success, traceHeaders }: FurtherParts,
  ) {
    this.message = message;
    this.response = response;
    this.invite = invite;
    this.ownHeaders = ownHeaders;
    this.url = `${raw.isSecure ? 'https' : 'http'}://${raw.headers.get('host') ?? ''}${raw.path}`;
    // An upload that began in time may end after its session, as on AWS; it may not outlive a revocation.
    this.recheck = (body) => identified.recheck(body === 'whole' ? clock.now() : raw.receivedAtMs);
    const { url } = this;
    this.success = success && ((etag) => success(url, etag));
    this.traceHeaders = traceHeaders;
    this.#place = place;
  }

  keepPlace(until: Promise<void>): void {
    this.#place.keep(until);
  }

  /** Created on first use, since most requests hold nothing. */
  get reservation(): Exchange['reservation'] {
    return this.#place.reservation;
  }
}
