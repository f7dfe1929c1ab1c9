import { createHash, type Hash } from 'node:crypto';
import { BodyFault } from '../core/body-fault.ts';
import { equalBytes } from '../core/bytes.ts';
import { type RollingChecksum, startChecksum } from '../sigv4/checksum.ts';
import { type AnnouncedTrailer, verifyTrailer } from '../sigv4/checksum-trailer.ts';
import { ChunkDecoder } from '../sigv4/chunk-decoder.ts';
import { type ChunkSeed, ChunkSignatures } from '../sigv4/chunk-signatures.ts';
import type { VerifiablePayload } from '../sigv4/verifiable-payload.ts';
import type { HeaderChecks } from './header-checks.ts';

/** Extracts an object's bytes from a request body, and verifies them against what the client declared. */
export interface BodyCheck {
  /**
   * Returns the object's bytes in the next bytes of the body.
   * @throws BodyFault
   */
  take(wire: Buffer): readonly Buffer[];
  /**
   * Call once, at the end of the body.
   * @throws BodyFault when it is incomplete, or not what was declared
   */
  finish(): void;
}

/** Verifies a body without chunk framing: its length, the checksums in the headers and, if one was signed, its digest. */
export class PlainCheck implements BodyCheck {
  #left: number;
  readonly #headerChecks: HeaderChecks;
  readonly #expected: Buffer | undefined;
  readonly #hash: Hash | undefined;

  constructor(length: number, payload: VerifiablePayload, headerChecks: HeaderChecks) {
    this.#left = length;
    this.#headerChecks = headerChecks;
    this.#expected = payload.kind === 'digest' ? Buffer.from(payload.sha256, 'hex') : undefined;
    this.#hash = this.#expected === undefined ? undefined : createHash('sha256');
  }

  take(wire: Buffer): readonly Buffer[] {
    this.#left -= wire.length;
    this.#hash?.update(wire);
    this.#headerChecks.update(wire);
    return [wire];
  }

  finish(): void {
    if (this.#left !== 0) throw new BodyFault('incomplete');
    if (this.#expected !== undefined && this.#hash !== undefined) {
      if (!equalBytes(this.#hash.digest(), this.#expected)) throw new BodyFault('digest_mismatch');
    }
    this.#headerChecks.finish();
  }
}

/** What an aws-chunked body must be. */
export interface Chunking {
  readonly decodedLength: number;
  /** Present when a checksum follows the chunks. */
  readonly trailer: AnnouncedTrailer | undefined;
  /** Present when each chunk is signed, and the trailer too. */
  readonly seed: ChunkSeed | undefined;
}

/** Verifies an aws-chunked body: its decoded length, its signatures, and the checksums in the headers and the trailer. */
export class ChunkedCheck implements BodyCheck {
  readonly #decoder: ChunkDecoder;
  readonly #trailer: AnnouncedTrailer | undefined;
  readonly #running: RollingChecksum | undefined;
  readonly #headerChecks: HeaderChecks;
  #checksum = '';

  constructor({ decodedLength, trailer, seed }: Chunking, headerChecks: HeaderChecks) {
    this.#decoder = new ChunkDecoder(decodedLength, seed && new ChunkSignatures(seed));
    this.#trailer = trailer;
    this.#running = trailer && startChecksum(trailer.algorithm);
    this.#headerChecks = headerChecks;
  }

  take(wire: Buffer): readonly Buffer[] {
    const data = this.#decoder.push(wire);
    for (const piece of data) {
      this.#running?.update(piece);
      this.#headerChecks.update(piece);
    }
    return data;
  }

  finish(): void {
    const fields = this.#decoder.end();
    if (this.#trailer === undefined || this.#running === undefined) {
      if (fields.size > 0) throw new BodyFault('trailer_malformed');
    } else {
      const computed = this.#running.digest();
      verifyTrailer(this.#trailer, fields, computed);
      this.#checksum = computed.toString('base64');
    }
    this.#headerChecks.finish();
  }

  /** The verified checksum of the trailer in base64; empty before {@link ChunkedCheck.finish}. */
  get checksum(): string {
    return this.#checksum;
  }
}
