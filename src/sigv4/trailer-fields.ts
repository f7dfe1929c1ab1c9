import { BodyFault } from '../core/body-fault.ts';
import { trimOws } from '../core/header-list.ts';
import type { ChunkSignatures } from './chunk-signatures.ts';

const signatureField = 'x-amz-trailer-signature';

type State =
  | 'fields'
  /** A field has ended with a bare line feed: CRLF, and a further line, must follow. */
  | 'bare-line-feed'
  | 'line-after-it'
  /** The signature has been verified: nothing but the last CRLF may follow. */
  | 'signed'
  | 'ended';

/**
 * The trailer of an aws-chunked body: `[name:value CRLF]* [x-amz-trailer-signature:64hex CRLF] CRLF`. minio-go ends a field with
 * LF CRLF, which is accepted (version 7.0.91, its client `mc` and others).
 */
export class TrailerFields {
  readonly #fields = new Map<string, string>();
  readonly #signatures: ChunkSignatures | undefined;
  #state: State = 'fields';
  #isSigned = false;

  /** @param signatures for a body in signed chunks, whose trailer must be signed as well */
  constructor(signatures: ChunkSignatures | undefined) {
    this.#signatures = signatures;
  }

  /**
   * Reads one line, with its line feed. True for the last one.
   * @throws BodyFault `trailer_malformed`, `chunk_signature_mismatch`
   */
  read(line: string): boolean {
    if (line !== '\r\n') this.#readField(line);
    else this.#state = this.#state === 'bare-line-feed' ? 'line-after-it' : 'ended';
    return this.#state === 'ended';
  }

  /**
   * The fields by lower-case name. Call at the end of the body; the last line may be missing.
   * @throws BodyFault `trailer_malformed` when a field is cut off, or not signed although it must be
   */
  end(): ReadonlyMap<string, string> {
    if (this.#state === 'bare-line-feed' || this.#state === 'line-after-it') throw malformed();
    if (this.#signatures !== undefined && this.#fields.size > 0 && !this.#isSigned) throw malformed();
    return this.#fields;
  }

  #readField(line: string): void {
    const [, name = '', value = '', lineEnd] = /^([A-Za-z0-9-]+):([^\r\n]*)(\r?\n)$/.exec(line) ?? [];
    const lowerName = name.toLowerCase();
    const isPossible = this.#state === 'fields' || this.#state === 'line-after-it';
    if (!isPossible || name === '' || this.#fields.has(lowerName)) throw malformed();
    if (this.#signatures !== undefined && lowerName === signatureField) {
      this.#verify(this.#signatures, trimOws(value));
    } else {
      this.#fields.set(lowerName, trimOws(value));
      this.#state = lineEnd === '\n' ? 'bare-line-feed' : 'fields';
    }
  }

  #verify(signatures: ChunkSignatures, signature: string): void {
    if (this.#fields.size === 0) throw malformed();
    const lines = [...this.#fields].map(([name, value]) => `${name}:${value}\n`).join('');
    signatures.verifyTrailer(lines, signature);
    this.#isSigned = true;
    this.#state = 'signed';
  }
}

function malformed(): BodyFault {
  return new BodyFault('trailer_malformed');
}
