import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { GatheringMessage } from './gathering-message.ts';

/** Most that one connection counts for. The framing of HTTP chunks counts too, and a long body has much of it. */
const maxCounted = 65_536;

/**
 * What one connection makes Node's parser keep outside the place of any request, in bytes as they came: a head that has
 * not ended; of an upload that was refused, its head and its trailers while the rest of its body is read.
 *
 * The parser does not tell where in a read a head begins, so what came before it in the same read counts too.
 */
export class UnplacedBytes {
  readonly #socket: Socket;
  #message: IncomingMessage | undefined;
  #isInHead = false;
  /** Bytes of the connection before the read in which the last head began, and before the present read. */
  #beforeHead = 0;
  #beforeRead = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** The first byte of a head has come. */
  beginHead(): void {
    this.#isInHead = true;
    this.#beforeHead = this.#beforeRead;
  }

  /** The head of a request is complete. */
  endHead(message: IncomingMessage): void {
    this.#isInHead = false;
    this.#message = message;
  }

  /** A read has been parsed. */
  endRead(): void {
    this.#beforeRead = this.#socket.bytesRead;
  }

  /** True while the body of the last request is still coming. */
  get isBodyUnread(): boolean {
    return this.#message?.complete === false;
  }

  /** @param hasPlace true while a request of the connection has a place, which pays for its head */
  count(hasPlace: boolean): number {
    if (!this.#isInHead && (hasPlace || !this.isBodyUnread)) return 0;
    const body = !this.#isInHead && this.#message instanceof GatheringMessage ? this.#message.bodyBytes : 0;
    const bytes = this.#socket.bytesRead - this.#beforeHead - body;
    return Math.min(Math.max(bytes, 0), maxCounted);
  }
}
