import type { OnReadOpts, Socket } from 'node:net';
import { resetConnection } from '../core/reset-connection.ts';
import { dial, type Origin, startTls } from './connect.ts';
import { ReadBuffers } from './read-buffers.ts';
import { surviveWriteErrors } from './surviving-writes.ts';

/** Notified of what happens on a wire. */
export interface WireObserver {
  onEstablished(): void;
  /** True while bytes of earlier reads are in use. */
  readonly isHoldingData: boolean;
  onData(bytes: Buffer): void;
  /** The peer sends nothing more; `wasReset` when it did not end in order. */
  onEnd(wasReset: boolean): void;
  onDrain(): void;
  onWritten(): void;
  onWriteFailed(): void;
  onClose(): void;
}

/** A socket, with or without TLS, that distinguishes an orderly end from a reset, and can end either way. */
export class Wire {
  readonly #observer: WireObserver;
  readonly #tcp: Socket;
  /** The TLS session once it has started; the connection itself before that, and without TLS. */
  #socket: Socket;
  /** Bytes to write once the connection is established. */
  #waiting: Buffer[] = [];
  /** Undefined with TLS, which reads into buffers of its own. */
  readonly #buffers: ReadBuffers | undefined;
  #isEstablished = false;
  #isPaused = false;
  #hasWriteFailed = false;
  #error: Error | undefined;

  /** Starts to connect. */
  constructor(origin: Origin, observer: WireObserver) {
    this.#observer = observer;
    if (!origin.isSecure) this.#buffers = new ReadBuffers(() => observer.isHoldingData);
    this.#tcp = dial(origin, this.#reading());
    this.#socket = this.#tcp;
    this.#tcp.on('error', this.#noteError);
    this.#tcp.on('close', this.#onClose);
    this.#tcp.once('connect', () => {
      if (origin.isSecure) this.#secure(origin);
      else this.#establish();
    });
  }

  get isEstablished(): boolean {
    return this.#isEstablished;
  }

  /** True when nothing waits to be written. */
  get isFlushed(): boolean {
    return this.#waiting.length === 0 && this.#socket.writableLength === 0;
  }

  get hasWriteFailed(): boolean {
    return this.#hasWriteFailed;
  }

  /** The first error of the socket. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Writes a head and the whole body at once. */
  send(head: string, body: Buffer | undefined): void {
    if (!this.#isEstablished) {
      this.#waiting.push(Buffer.from(head, 'latin1'));
      if (body !== undefined) this.#waiting.push(body);
      return;
    }
    if (body === undefined) {
      this.#socket.write(head, 'latin1');
      return;
    }
    this.#socket.cork();
    this.#socket.write(head, 'latin1');
    this.#socket.write(body);
    this.#socket.uncork();
  }

  /** Writes the next bytes. False asks to wait until it drains. */
  write(piece: Buffer): boolean {
    if (this.#isEstablished) return this.#socket.write(piece);
    this.#waiting.push(piece);
    return false;
  }

  pause(): void {
    this.#isPaused = true;
    if (this.#isEstablished) this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#isEstablished) this.#socket.resume();
  }

  /** Call when an exchange is over: from now on, nothing reports when its bytes have been consumed. */
  forgetData(): void {
    this.#buffers?.reset();
  }

  /** Ends in order. */
  close(): void {
    this.#socket.destroy();
  }

  /** Ends by a reset, which the peer cannot take for the end of a request. */
  reset(): void {
    if (this.#socket.destroyed) return;
    if (this.#isEstablished) resetConnection(this.#tcp);
    this.#socket.destroy();
  }

  readonly #noteError = (error: Error): void => {
    this.#error ??= error;
  };

  readonly #onClose = (): void => this.#observer.onClose();

  #reading(): OnReadOpts | undefined {
    const buffers = this.#buffers;
    if (buffers === undefined) return undefined;
    return {
      buffer: () => buffers.next(),
      callback: (length, buffer) => {
        this.#observer.onData(buffers.take(buffer, length));
        return true;
      },
    };
  }

  #secure(origin: Origin): void {
    let secured: Socket;
    try {
      secured = startTls(this.#tcp, origin);
    } catch (error) {
      // An invalid TLS setting of Node. Thrown from an event handler, it would end the process.
      this.#tcp.destroy(error instanceof Error ? error : undefined);
      return;
    }
    this.#tcp.off('close', this.#onClose);
    secured.on('error', this.#noteError);
    secured.on('close', this.#onClose);
    secured.once('secureConnect', () => this.#establish());
    this.#socket = secured;
  }

  #establish(): void {
    const socket = this.#socket;
    const observer = this.#observer;
    this.#isEstablished = true;
    surviveWriteErrors(socket, {
      onWritten: () => observer.onWritten(),
      onWriteFailed: () => {
        this.#hasWriteFailed = true;
        observer.onWriteFailed();
      },
    });
    if (this.#isPaused) socket.pause();
    if (this.#buffers === undefined) socket.on('data', (bytes: Buffer) => observer.onData(bytes));
    socket.on('drain', () => observer.onDrain());
    socket.on('end', () => observer.onEnd(this.#wasReset()));
    observer.onEstablished();
    this.#writeWaiting();
  }

  #writeWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length === 0) return;
    let canTakeMore = true;
    this.#socket.cork();
    for (const piece of waiting) canTakeMore = this.#socket.write(piece);
    this.#socket.uncork();
    if (canTakeMore) this.#observer.onDrain();
  }

  // libuv reports a reset that comes together with the last bytes as an orderly end; so does the system after a failed write.
  // After a reset the connection has no peer address any more. Node caches the address, so it must not be read earlier.
  #wasReset(): boolean {
    return this.#hasWriteFailed || this.#tcp.remotePort === undefined;
  }
}
