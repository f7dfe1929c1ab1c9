import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { GatheringMessage } from './gathering-message.ts';

/** Memory of a refused upload whose body is still read: its message, response and timers, without its head. */
const bytesOfRefused = 2_048;
/** Its target, in the message and in parts of it, for each character. */
const bytesPerTargetCharacter = 2;
/** Up to here, what a refused upload holds beside that may be the framing of its chunks. */
const smallBytes = 4_096;
/**
 * Memory of fields besides their characters, for each byte of the shortest fields that are kept: Node keeps 256 fields, of
 * two strings each, and a field has five bytes at least (Node 20, measured 2026-11).
 */
const bytesPerFieldByte = 20;
const bytesOfShortestFields = 256 * 5;

/**
 * The memory that one connection takes outside the place of any request: an unfinished head, one that was dropped, or a refused
 * upload while the rest of its body is read, with its trailers and what the client has not read of its answer.
 *
 * The parser does not report where in a read a head begins, so everything before it in the same read is counted too.
 */
export class UnplacedMemory {
  readonly #socket: Socket;
  readonly #maxBytes: number;
  #message: IncomingMessage | undefined;
  #isInHead = false;
  /** Bytes read from the connection before the read in which the last head began, and before the current read. */
  #beforeHead = 0;
  #beforeRead = 0;
  #hasDropped = false;

  /** @param maxHeaderBytes longest head, and longest trailers */
  constructor(socket: Socket, maxHeaderBytes: number) {
    this.#socket = socket;
    // The framing of HTTP chunks is counted too, and adds up in a long body.
    this.#maxBytes = 2 * maxHeaderBytes;
  }

  /** Notes the first byte of a head. */
  beginHead(): void {
    this.#isInHead = true;
    if (!this.#hasDropped) this.#beforeHead = this.#beforeRead;
  }

  /** Notes that the last head belongs to a request that is not served. Node holds it until the connection closes. */
  dropHead(): void {
    this.#hasDropped = true;
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

  /**
   * Estimated memory, in bytes.
   * @param hasPlace true while a request of the connection has a place, which covers its head and its answer
   */
  estimate(hasPlace: boolean): number {
    if (hasPlace && !this.#isInHead) return 0;
    const unread = hasPlace ? 0 : this.#socket.writableLength;
    if (this.#isInHead) return unread + memoryOf(this.#bytesSinceHead(0));
    const message = this.#message;
    if (message === undefined || message.complete) {
      // An idle connection would keep it, with a target as long as a head may be.
      this.#message = undefined;
      return unread;
    }
    const known = message instanceof GatheringMessage ? message.bodyBytes + message.freedHeadBytes : 0;
    const target = bytesPerTargetCharacter * (message.url?.length ?? 0);
    return bytesOfRefused + target + unread + memoryOf(this.#bytesSinceHead(known));
  }

  /** True for an estimate of a refused upload as ordinary clients send it. */
  isSmall(bytes: number): boolean {
    return !this.#isInHead && this.isBodyUnread && bytes <= bytesOfRefused + smallBytes;
  }

  #bytesSinceHead(known: number): number {
    const bytes = this.#socket.bytesRead - this.#beforeHead - known;
    return Math.min(Math.max(bytes, 0), this.#maxBytes);
  }
}

function memoryOf(bytes: number): number {
  return bytes + bytesPerFieldByte * Math.min(bytes, bytesOfShortestFields);
}
