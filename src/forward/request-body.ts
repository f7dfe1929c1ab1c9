import { createHash, type Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { equalBytes } from '../core/bytes.ts';
import type { HeaderList } from '../core/header-list.ts';
import { emptySha256, type PayloadMode } from '../sigv4/payload-mode.ts';
import { BodyFault } from './faults.ts';

/** AWS's limit for one PutObject or UploadPart. */
const maxObjectBytes = 5 * 1024 ** 3;

/** Bodies up to this size are read and verified before the store is contacted at all. */
const maxBufferedBytes = 65_536;

/** A body ready to be sent to the store. */
export interface OutgoingBody {
  readonly length: number;
  readonly content: Buffer | Readable | null;
}

/**
 * The length the client declares. Throws {@link BodyFault}: without a `Content-Length` an early end could not be
 * told from the end.
 */
function declaredLength(headers: HeaderList): number {
  const values = headers.getAll('content-length');
  if (values.length === 0 || headers.has('transfer-encoding')) throw new BodyFault('length_missing');
  const [value = ''] = values;
  if (values.length > 1 || !/^\d{1,15}$/.test(value)) throw new BodyFault('length_invalid');
  return Number(value);
}

/** Refuses a body where the operation takes none, and a digest that is not that of the empty body. */
export function requireNoBody(headers: HeaderList, payload: PayloadMode): void {
  const length = headers.has('content-length') ? declaredLength(headers) : 0;
  if (length > 0 || headers.has('transfer-encoding')) throw new BodyFault('unexpected');
  if (payload.kind === 'digest' && payload.sha256 !== emptySha256) throw new BodyFault('digest_mismatch');
}

/**
 * Reads a small document whole and checks it against its digest and `Content-MD5`.
 * Throws {@link BodyFault}; `incomplete` when the client ends early.
 */
export async function readDocumentBody(
  message: IncomingMessage,
  headers: HeaderList,
  payload: PayloadMode,
  maxBytes: number,
): Promise<Buffer> {
  if (headers.has('content-length') && declaredLength(headers) > maxBytes) {
    throw new BodyFault('document_too_large');
  }
  const body = await collect(message, maxBytes);
  const digest = createHash('sha256').update(body).digest();
  if (payload.kind === 'digest' && !equalBytes(digest, Buffer.from(payload.sha256, 'hex'))) {
    throw new BodyFault('digest_mismatch');
  }
  const contentMd5 = headers.get('content-md5');
  if (contentMd5 !== undefined && contentMd5 !== createHash('md5').update(body).digest('base64')) {
    throw new BodyFault('md5_mismatch');
  }
  return body;
}

/** Reads a whole body of at most `maxBytes`. Throws {@link BodyFault}. */
export async function collect(message: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of message) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError('the request body must arrive as bytes');
      length += chunk.length;
      if (length > maxBytes) throw new BodyFault('document_too_large');
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof BodyFault ? error : new BodyFault('incomplete');
  }
  if (!message.complete) throw new BodyFault('incomplete');
  return Buffer.concat(chunks, length);
}

/**
 * Prepares an object's bytes for the store. Small bodies are read and verified first; larger ones are streamed,
 * the last bytes held back until the digest has been verified, so that a wrong upload is never complete at the
 * store. Throws {@link BodyFault}; a stream fails with one.
 */
export async function prepareObjectBody(
  message: IncomingMessage,
  headers: HeaderList,
  payload: PayloadMode,
): Promise<OutgoingBody> {
  const length = declaredLength(headers);
  if (length > maxObjectBytes) throw new BodyFault('too_large');
  if (length > maxBufferedBytes) {
    const verifier = new BodyVerifier(length, payload);
    // Whoever reads it listens while reading; a client that goes away before or after must not end the process.
    verifier.on('error', () => undefined);
    message.once('error', () => verifier.destroy(new BodyFault('incomplete')));
    message.once('close', () => {
      if (!message.complete) verifier.destroy(new BodyFault('incomplete'));
    });
    return { length, content: message.pipe(verifier) };
  }
  const verifier = new BodyVerifier(length, payload);
  const body = await collect(message, length);
  verifier.verify(body);
  return { length, content: body };
}

/** Passes bytes through one chunk late: the last one only after length and digest were found right. */
class BodyVerifier extends Transform {
  readonly #length: number;
  readonly #expected: Buffer | undefined;
  readonly #hash: Hash | undefined;
  #received = 0;
  #held: Buffer | undefined;

  constructor(length: number, payload: PayloadMode) {
    super();
    this.#length = length;
    this.#expected = payload.kind === 'digest' ? Buffer.from(payload.sha256, 'hex') : undefined;
    this.#hash = this.#expected === undefined ? undefined : createHash('sha256');
  }

  /** Checks a whole body at once. Throws {@link BodyFault}. */
  verify(body: Buffer): void {
    this.#account(body);
    const fault = this.#fault();
    if (fault !== undefined) throw fault;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#account(chunk);
    const earlier = this.#held;
    this.#held = chunk;
    done(null, earlier);
  }

  override _flush(done: TransformCallback): void {
    const fault = this.#fault();
    if (fault === undefined) done(null, this.#held);
    else done(fault);
  }

  #account(chunk: Buffer): void {
    this.#received += chunk.length;
    this.#hash?.update(chunk);
  }

  #fault(): BodyFault | undefined {
    if (this.#received !== this.#length) return new BodyFault('incomplete');
    if (this.#hash === undefined || this.#expected === undefined) return undefined;
    return equalBytes(this.#hash.digest(), this.#expected) ? undefined : new BodyFault('digest_mismatch');
  }
}
