import type { Socket } from 'node:net';
import { type Dialled, dial, type Origin } from './connect.ts';
import { surviveWriteErrors } from './surviving-writes.ts';

/** Told what happens on a wire. */
export interface WireObserver {
  onEstablished(): void;
  onData(bytes: Buffer): void;
  /** The peer says nothing more; `wasReset` when it did not end in order. */
  onEnd(wasReset: boolean): void;
  onDrain(): void;
  onWritten(): void;
  onWriteFailed(): void;
  onClose(): void;
}

/** A socket, with or without TLS, that tells an orderly end from a reset, and can end either way itself. */
export class Wire {
  readonly #socket: Socket;
  readonly #tcp: Socket;
  #isEstablished = false;
  #hasWriteFailed = false;
  #error: Error | undefined;

  /** Starts to connect. */
  constructor(origin: Origin, observer: WireObserver) {
    const { socket, tcp, readyEvent }: Dialled = dial(origin);
    this.#socket = socket;
    this.#tcp = tcp;
    surviveWriteErrors(socket, {
      onWritten: () => observer.onWritten(),
      onWriteFailed: () => {
        this.#hasWriteFailed = true;
        observer.onWriteFailed();
      },
    });
    socket.once(readyEvent, () => {
      this.#isEstablished = true;
      observer.onEstablished();
    });
    socket.on('data', (bytes: Buffer) => observer.onData(bytes));
    socket.on('drain', () => observer.onDrain());
    socket.on('end', () => observer.onEnd(this.#wasReset()));
    const noteError = (error: Error): void => {
      this.#error ??= error;
    };
    tcp.on('error', noteError);
    if (tcp !== socket) socket.on('error', noteError);
    socket.on('close', () => observer.onClose());
  }

  get isEstablished(): boolean {
    return this.#isEstablished;
  }

  /** True when nothing waits to be written. */
  get isFlushed(): boolean {
    return this.#socket.writableLength === 0;
  }

  get hasWriteFailed(): boolean {
    return this.#hasWriteFailed;
  }

  /** The first error of the socket. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Writes a head and its whole body in one. */
  send(head: string, body: Buffer | undefined): void {
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
    return this.#socket.write(piece);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends in order. */
  close(): void {
    this.#socket.destroy();
  }

  /** Ends in such a way that the peer cannot take it for the end of a request. */
  reset(): void {
    if (this.#socket.destroyed) return;
    if (this.#isEstablished) this.#tcp.resetAndDestroy();
    this.#socket.destroy();
  }

  // libuv reports a reset as an orderly end when the last bytes are read with it, and the system does when writing has
  // failed before. A connection that was reset has no peer any more, an ended one has. The address must not have been
  // asked for before: Node keeps it.
  #wasReset(): boolean {
    return this.#hasWriteFailed || this.#tcp.remotePort === undefined;
  }
}
