import { type AnswerHead, type ParsedHead, parseHead } from './answer-head.ts';
import { ChunkedBody } from './chunked-body.ts';
import { HttpFault, protocolFault } from './http-fault.ts';

/** Node's default is 16 KiB. User metadata and ACL headers can need more. */
const maxHeadBytes = 65_536;
/** Servers send one or two of `100 Continue`, `102 Processing` and `103 Early Hints`. */
const maxInterimAnswers = 64;
const headEnd = Buffer.from('\r\n\r\n');
const headStart = 'HTTP/1.';

/** Receives an answer piece by piece. */
export interface AnswerSink {
  /** The head of the final answer. Interim answers are skipped. */
  onHead(head: AnswerHead): void;
  /** The next bytes of the body. The receiver owns them. */
  onData(data: Buffer): void;
}

/**
 * Parses one answer of HTTP/1.1 or 1.0. It is strict: what could be read in two ways is a fault, after which the
 * connection cannot be used any more.
 */
export class AnswerParser {
  readonly #isHead: boolean;
  readonly #isSecure: boolean;
  readonly #sink: AnswerSink;
  #head: ParsedHead | undefined;
  /** The beginning of a head that arrives in pieces. */
  #begun: Buffer | undefined;
  #begunLength = 0;
  #interimAnswers = 0;
  #left = 0;
  #chunked: ChunkedBody | undefined;
  #isEnded = false;
  #hasExcess = false;

  /**
   * @param isHead true for the answer to HEAD
   * @param isSecure true over TLS
   */
  constructor(isHead: boolean, sink: AnswerSink, isSecure = false) {
    this.#isHead = isHead;
    this.#sink = sink;
    this.#isSecure = isSecure;
  }

  /** True once the whole answer has been passed to the sink. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** True once the head of the final answer has arrived. */
  get hasHead(): boolean {
    return this.#head !== undefined;
  }

  /** The value of the answer's `Keep-Alive`. */
  get keepAlive(): string | undefined {
    return this.#head?.keepAlive;
  }

  /** True when the connection can carry another request: the peer keeps it open, and has sent nothing after the answer. */
  get isReusable(): boolean {
    return this.#isEnded && !this.#hasExcess && this.#head?.keepsAlive === true;
  }

  /**
   * Takes the next bytes of the connection, and owns them from then on.
   * @throws HttpFault `protocol`
   */
  push(bytes: Buffer): void {
    let index = 0;
    while (index < bytes.length && !this.#isEnded) {
      index =
        this.#head === undefined ? this.#readHead(bytes, index) : this.#readBody(this.#head, bytes, index);
    }
    if (index < bytes.length) this.#hasExcess = true;
  }

  /**
   * Call when the peer has ended the connection in order.
   * @throws HttpFault `reset` unless the answer is whole
   */
  end(): void {
    if (this.#isEnded) return;
    if (this.#head?.body !== 'close')
      throw new HttpFault('reset', 'the connection ended before the answer did');
    this.#isEnded = true;
  }

  #readHead(bytes: Buffer, start: number): number {
    if (this.#begun === undefined) {
      const found = bytes.indexOf(headEnd, start);
      if (found >= 0) {
        this.#takeHead(bytes.toString('latin1', start, found + 2));
        return found + 4;
      }
    }
    return this.#keepBegun(bytes, start);
  }

  // Copies the pieces into one block, which doubles. Only the new bytes are searched for the end.
  #keepBegun(bytes: Buffer, start: number): number {
    const before = this.#begunLength;
    const block = this.#roomFor(Math.min(bytes.length - start, maxHeadBytes + 1 - before));
    this.#begunLength += bytes.copy(block, before, start, start + block.length - before);
    const kept = block.subarray(0, this.#begunLength);
    if (!isHeadStart(kept)) throw protocolFault('the answer is not HTTP/1.1');
    const found = kept.indexOf(headEnd, Math.max(0, before - 3));
    if (found < 0) {
      if (this.#begunLength > maxHeadBytes) throw protocolFault('the head of the answer is too long');
      return start + this.#begunLength - before;
    }
    this.#begun = undefined;
    this.#begunLength = 0;
    this.#takeHead(kept.toString('latin1', 0, found + 2));
    return start + found + 4 - before;
  }

  #roomFor(more: number): Buffer {
    const needed = this.#begunLength + more;
    const block = this.#begun;
    if (block !== undefined && block.length >= needed) return block;
    const larger = Buffer.allocUnsafe(Math.max(needed, (block?.length ?? 512) * 2));
    block?.copy(larger, 0, 0, this.#begunLength);
    this.#begun = larger;
    return larger;
  }

  #takeHead(text: string): void {
    if (text.length > maxHeadBytes) throw protocolFault('the head of the answer is too long');
    const head = parseHead(text, this.#isHead);
    if (head.status < 200) {
      this.#interimAnswers += 1;
      if (this.#interimAnswers > maxInterimAnswers) throw protocolFault('there are too many interim answers');
      return;
    }
    // Over TLS such a body is whole only after `close_notify` (RFC 9112 section 9.8), which Node does not tell apart from a
    // bare FIN. An attacker on the path can send a FIN to cut an object short.
    if (head.body === 'close' && this.#isSecure)
      throw protocolFault('an answer over TLS has neither a length nor chunks');
    this.#head = head;
    this.#left = head.length;
    if (head.body === 'chunked') this.#chunked = new ChunkedBody();
    this.#isEnded = head.body === 'none' || (head.body === 'length' && head.length === 0);
    this.#sink.onHead(head);
  }

  #readBody(head: ParsedHead, bytes: Buffer, start: number): number {
    if (this.#chunked !== undefined) return this.#readChunks(this.#chunked, bytes, start);
    const rest = start === 0 ? bytes : bytes.subarray(start);
    const data = head.body === 'length' && rest.length > this.#left ? rest.subarray(0, this.#left) : rest;
    this.#left -= data.length;
    if (head.body === 'length' && this.#left === 0) this.#isEnded = true;
    this.#sink.onData(data);
    return start + data.length;
  }

  #readChunks(chunked: ChunkedBody, bytes: Buffer, start: number): number {
    const index = chunked.push(bytes, start, (data) => this.#sink.onData(data));
    this.#isEnded = chunked.isEnded;
    return index;
  }
}

function isHeadStart(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, headStart.length);
  return bytes.toString('latin1', 0, length) === headStart.slice(0, length);
}
