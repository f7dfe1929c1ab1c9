import type { IncomingMessage } from 'node:http';
import { BodyFault } from '../core/body-fault.ts';
import type { HttpExchange } from '../http-client/http-exchange.ts';
import type { BodyCheck } from './body-check.ts';
import { stopReading } from './consume-body.ts';

/** How a body is verified, and how the object's bytes are framed for the store. */
export interface BodyWriter {
  readonly check: BodyCheck;
  /** Frames data for the store. */
  readonly write: (data: Buffer) => readonly Buffer[];
  /** Returns what follows the data; call once the check has finished. */
  readonly end: () => readonly Buffer[];
  /** Bytes written in all. */
  readonly wireLength: number;
}

/** Notified of how the sending of a body ended. */
export interface BodyObserver {
  /** The whole body has been verified, and handed to the connection. */
  onBodySent(): void;
  /** The body was invalid, or ended early. The store does not get the rest of it. */
  onBodyFault(fault: Error): void;
}

/** Smaller pieces that arrive in one turn of the event loop are joined before they are verified and sent. */
const smallPiece = 1024;
const gatheredBytes = 16_384;

/**
 * Streams a client's body to the store with back-pressure, always one piece behind. The last piece is sent only after the
 * whole body has been verified, so that an invalid upload is never complete at the store.
 */
export class StreamedBody {
  readonly #message: IncomingMessage;
  readonly #writer: BodyWriter;
  readonly #recheck: () => void;
  #exchange: HttpExchange | undefined;
  #observer: BodyObserver | undefined;
  #held: Buffer | undefined;
  #gathered: Buffer | undefined;
  #gatheredLength = 0;

  /** @param recheck called when the whole body has arrived, before its last bytes are sent; see `ArrivingBody.recheck` */
  constructor(message: IncomingMessage, writer: BodyWriter, recheck: () => void) {
    this.#message = message;
    this.#writer = writer;
    this.#recheck = recheck;
  }

  /** Starts to read and to send. */
  sendTo(exchange: HttpExchange, observer: BodyObserver): void {
    const message = this.#message;
    this.#exchange = exchange;
    this.#observer = observer;
    if (message.destroyed) {
      this.#fail(new BodyFault('incomplete'));
      return;
    }
    message.on('data', this.#onData);
    message.on('end', this.#onEnd);
    message.on('close', this.#onClose);
    message.on('error', this.#onError);
    // The fields of a form have been read from it before.
    message.resume();
  }

  /** Goes on after {@link HttpExchange.write} has returned false. */
  goOn(): void {
    if (this.#exchange !== undefined) this.#message.resume();
  }

  /** Stops reading and sending. The rest of the body stays unread. */
  stop(fault?: Error): void {
    if (this.#exchange === undefined) return;
    this.#exchange = undefined;
    this.#held = undefined;
    this.#gathered = undefined;
    const message = this.#message;
    message.off('data', this.#onData);
    message.off('end', this.#onEnd);
    message.off('close', this.#onClose);
    message.off('error', this.#onError);
    stopReading(message, fault);
  }

  readonly #onData = (piece: Buffer): void => {
    if (piece.length >= smallPiece && this.#gatheredLength === 0) this.#take(piece);
    else this.#gather(piece);
  };

  readonly #onEnd = (): void => {
    this.#sendGathered();
    const observer = this.#observer;
    try {
      if (this.#exchange === undefined) return;
      if (!this.#message.complete) throw new BodyFault('incomplete');
      this.#writer.check.finish();
      this.#recheck();
      this.#release();
      for (const piece of this.#writer.end()) this.#exchange.write(piece);
    } catch (error) {
      this.#fail(toError(error));
      return;
    }
    this.stop();
    observer?.onBodySent();
  };

  readonly #onClose = (): void => this.#fail(new BodyFault('incomplete'));

  readonly #onError = (error: unknown): void =>
    this.#fail(error instanceof BodyFault ? error : new BodyFault('incomplete'));

  #gather(piece: Buffer): void {
    if (this.#gatheredLength + piece.length > gatheredBytes) this.#sendGathered();
    if (piece.length >= gatheredBytes) {
      this.#take(piece);
      return;
    }
    this.#gathered ??= Buffer.allocUnsafe(gatheredBytes);
    if (this.#gatheredLength === 0) setImmediate(() => this.#sendGathered());
    piece.copy(this.#gathered, this.#gatheredLength);
    this.#gatheredLength += piece.length;
  }

  #sendGathered(): void {
    const gathered = this.#gathered?.subarray(0, this.#gatheredLength);
    this.#gathered = undefined;
    this.#gatheredLength = 0;
    if (gathered !== undefined && gathered.length > 0) this.#take(gathered);
  }

  #take(wire: Buffer): void {
    try {
      let canTakeMore = true;
      for (const data of this.#writer.check.take(wire)) {
        canTakeMore = this.#release() && canTakeMore;
        this.#held = data;
      }
      if (!canTakeMore) this.#message.pause();
    } catch (error) {
      this.#fail(toError(error));
    }
  }

  #release(): boolean {
    const held = this.#held;
    this.#held = undefined;
    let canTakeMore = true;
    if (held === undefined || this.#exchange === undefined) return canTakeMore;
    for (const piece of this.#writer.write(held)) canTakeMore = this.#exchange.write(piece);
    return canTakeMore;
  }

  #fail(fault: Error): void {
    const observer = this.#observer;
    if (this.#exchange === undefined) return;
    this.stop(fault);
    observer?.onBodyFault(fault);
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('reading the body failed', { cause: error });
}
