import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { GatheringMessage } from './gathering-message.ts';

/**
 * The bytes that one connection makes Node's parser hold outside the place of any request: an unfinished head, or the head
 * and trailers of a refused upload while the rest of its body is read.
 *
 * The parser does not report where in a read a head begins, so everything before it in the same read is counted too.
 */
export class UnplacedBytes {
  readonly #socket: Socket;
  readonly #maxBytes: number;
  #message: IncomingMessage | undefined;
  #isInHead = false;
  /** Bytes read from the connection before the read in which the last head began, and before the current read. */
  #beforeHead = 0;
  #beforeRead = 0;

  /** @param maxHeaderBytes longest head, and longest trailers */
  constructor(socket: Socket, maxHeaderBytes: number) {
    this.#socket = socket;
    // The framing of HTTP chunks is counted too, and adds up in a long body.
    this.#maxBytes = 2 * maxHeaderBytes;
  }

  /** Notes the first byte of a head. */
  beginHead(): void {
    this.#isInHead = true;
    this.#beforeHead = this.#beforeRead;
  }

  /** Notes that the head of a request is complete. */
  endHead(message: IncomingMessage): void {
    this.#isInHead = false;
    this.#message = message;
  }

  /** Notes that a read has been parsed. */
  endRead(): void {
    this.#beforeRead = this.#socket.bytesRead;
  }

  /** True while the body of the last request is still arriving. */
  get isBodyUnread(): boolean {
    return this.#message?.complete === false;
  }

  /** @param hasPlace true while a request of the connection has a place, which covers its head */
  count(hasPlace: boolean): number {
    if (!this.#isInHead && (hasPlace || !this.isBodyUnread)) return 0;
    const body = !this.#isInHead && this.#message instanceof GatheringMessage ? this.#message.bodyBytes : 0;
    const bytes = this.#socket.bytesRead - this.#beforeHead - body;
    return Math.min(Math.max(bytes, 0), this.#maxBytes);
  }
}
