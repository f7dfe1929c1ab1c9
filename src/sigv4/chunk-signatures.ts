import { createHash, type Hash, hash } from 'node:crypto';
import { BodyFault } from '../core/body-fault.ts';
import { equalBytes } from '../core/bytes.ts';
import { type CredentialScope, formatScope } from './credential-scope.ts';
import type { HmacKey } from './hmac-key.ts';
import { emptySha256 } from './payload-mode.ts';

/** What the chain of chunk signatures begins with: the verified signature of a request, and what it was made with. */
export interface ChunkSeed {
  readonly key: HmacKey;
  /** When the request was signed, `YYYYMMDDTHHMMSSZ`. */
  readonly timestamp: string;
  readonly scope: CredentialScope;
  /** 64 lower-case hexadecimal digits. */
  readonly signature: string;
}

/**
 * Verifies the signatures of a body's chunks. Each covers the one before it, and the first one that of the request, so chunks can
 * neither be changed, dropped, repeated nor moved. The data is hashed as it passes; a signature is checked at the end of its chunk.
 * Source: AWS "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks", and the same with
 * trailing headers.
 */
export class ChunkSignatures {
  readonly #key: HmacKey;
  readonly #suffix: string;
  #previous: string;
  #claimed = '';
  #running: Hash | undefined;

  constructor({ key, timestamp, scope, signature }: ChunkSeed) {
    this.#key = key;
    this.#suffix = `${timestamp}\n${formatScope(scope)}`;
    this.#previous = signature;
  }

  /**
   * Begins a chunk.
   * @param signature as claimed in the chunk's header
   * @throws BodyFault `chunk_signature_mismatch` for what is no signature at all
   */
  begin(signature: string): void {
    this.#claimed = readSignature(signature);
    this.#running = undefined;
  }

  /** Takes the next data of the chunk. */
  update(data: Buffer): void {
    this.#running ??= createHash('sha256');
    this.#running.update(data);
  }

  /**
   * Ends the chunk.
   * @throws BodyFault `chunk_signature_mismatch`
   */
  end(): void {
    const digest = this.#running?.digest('hex') ?? emptySha256;
    this.#advance('AWS4-HMAC-SHA256-PAYLOAD', `${emptySha256}\n${digest}`, this.#claimed);
  }

  /**
   * Verifies the signature of the trailer, which follows that of the last chunk.
   * @param lines `name:value` and a line feed for each field
   * @throws BodyFault `chunk_signature_mismatch`
   */
  verifyTrailer(lines: string, signature: string): void {
    const digest = hash('sha256', Buffer.from(lines, 'latin1'), 'hex');
    this.#advance('AWS4-HMAC-SHA256-TRAILER', digest, readSignature(signature));
  }

  #advance(algorithm: string, digests: string, claimed: string): void {
    const text = `${algorithm}\n${this.#suffix}\n${this.#previous}\n${digests}`;
    const computed = this.#key.sign(text);
    if (!equalBytes(Buffer.from(computed, 'latin1'), Buffer.from(claimed, 'latin1')))
      throw new BodyFault('chunk_signature_mismatch');
    this.#previous = computed;
  }
}

function readSignature(text: string): string {
  if (!/^[0-9a-fA-F]{64}$/.test(text)) throw new BodyFault('chunk_signature_mismatch');
  return text.toLowerCase();
}
