import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { OutboundFault } from './outbound-fault.ts';
import type { ProviderPace } from './provider-pace.ts';

/** Most bytes that TLS gets in one turn of the event loop: some 90 records of one byte, which take 0.3 ms. */
const pieceBytes = 2 * 1024;
/** A server sends 4 KiB until its handshake is over, or 8 KiB with the longest keys and several authorities. */
const handshakeBytes: number = 16 * 1024;

/**
 * Stands between a connection and its TLS, and bounds what the bytes of the server cost. OpenSSL decrypts all records, and verifies all
 * certificates, that have arrived in one turn of the event loop: 64 KiB of records of one byte take 0.2 s, and a chain of 93 KB, for which
 * nobody needs a private key or an authority, 0.5 s (Node 20, 2026-12). So these bytes are passed on a few at a time, those of a handshake and
 * those of an answer are limited, and after a piece that took long all connections of the provider rest.
 */
export class PacedConnection extends Duplex {
  readonly #socket: Socket;
  readonly #pace: ProviderPace;
  #mostBytes = handshakeBytes;
  #requestBytes: () => number = () => 0;
  #requested = 0;
  #received = 0;
  #isWanted = false;
  #isAsking = false;

  /** @param socket connected, and read by nobody else */
  constructor(socket: Socket, pace: ProviderPace) {
    super();
    this.#socket = socket;
    this.#pace = pace;
    socket.on('readable', () => this.#ask());
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    // What has been passed on before the end may not have been read yet.
    socket.on('close', () => {
      if (!socket.readableEnded) this.destroy();
    });
  }

  /**
   * Replaces the limit of the handshake once it is over.
   * @param mostBytes for each answer, with what TLS adds
   * @param requestBytes how many bytes of requests have been sent; an answer begins where they have become more
   */
  limitAnswers(mostBytes: number, requestBytes: () => number): void {
    this.#mostBytes = mostBytes;
    this.#requestBytes = requestBytes;
    this.#received = 0;
  }

  override _read(): void {
    this.#isWanted = true;
    this.#ask();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  /** Never passes a piece within a read: a stream hands on at once only what comes outside. */
  #ask(): void {
    if (this.#isAsking || !this.#isWanted) return;
    this.#isAsking = true;
    this.#pace.nextTurn(() => this.#pass());
  }

  #pass(): void {
    this.#isAsking = false;
    if (this.destroyed) return;
    const length = Math.min(this.#socket.readableLength, pieceBytes);
    const piece: unknown = length === 0 ? this.#socket.read() : this.#socket.read(length);
    if (!Buffer.isBuffer(piece)) return;
    if (this.#isTooMuch(piece.length)) {
      this.destroy(this.#tooMuch());
      return;
    }
    this.#isWanted = false;
    try {
      this.push(piece);
    } catch (error) {
      // Node's adapter between TLS and a stream has assertions (nodejs/node issue 35384). They cost the connection, not the process.
      this.destroy(new OutboundFault('unreachable', 'cannot be reached (TLS)', { cause: error }));
    }
  }

  #isTooMuch(bytes: number): boolean {
    const requested = this.#requestBytes();
    if (requested !== this.#requested) this.#received = 0;
    this.#requested = requested;
    this.#received += bytes;
    return this.#received > this.#mostBytes;
  }

  #tooMuch(): OutboundFault {
    const most = this.#mostBytes;
    return most === handshakeBytes
      ? new OutboundFault('unreachable', `needs more than ${most} bytes for its TLS handshake`)
      : new OutboundFault('oversized', `answered with more than ${most} bytes of TLS`);
  }
}
