import type { Reservation } from '../core/byte-budget.ts';
import { escapeXml } from '../core/xml.ts';
import { UpstreamFault } from './faults.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import { readStoreError, type StoreError } from './store-error.ts';

/** How long white space is held back. Clients wait at least a minute for the first byte. */
const patienceMs = 10_000;
const maxBytes = 1024 * 1024;
/** The longest XML declaration that is passed on early. Most have about 60 bytes. */
const maxPreamble = 1024;

const nothing = Buffer.alloc(0);
const space = Buffer.from(' ');

const rootTag =
  /^(?:<\?xml[^>]*\?>\s*)?<((?:[\w.-]+:)?(?:CompleteMultipartUpload|CopyObject|CopyPart)Result)(?:\s[^<>]*)?\/?>/;
const errorTag = /<(?:[\w.-]+:)?Error[\s/>]/;

const codesByStatus: Readonly<Record<number, readonly string[]>> = {
  400: [
    'BadDigest',
    'EntityTooLarge',
    'EntityTooSmall',
    'InvalidArgument',
    'InvalidDigest',
    'InvalidEncryptionAlgorithmError',
    'InvalidPart',
    'InvalidPartOrder',
    'InvalidRequest',
    'InvalidStorageClass',
    'InvalidTag',
    'KeyTooLongError',
    'MalformedXML',
    'MetadataTooLarge',
    'RequestTimeout',
  ],
  403: [
    'AccessDenied',
    'AllAccessDisabled',
    'InvalidObjectState',
    'ObjectNotInActiveTierError',
    'QuotaExceeded',
  ],
  404: ['NoSuchBucket', 'NoSuchKey', 'NoSuchUpload', 'NoSuchVersion'],
  405: ['MethodNotAllowed'],
  409: ['ConditionalRequestConflict', 'InvalidBucketState', 'OperationAborted'],
  412: ['PreconditionFailed'],
  416: ['InvalidRange'],
  501: ['NotImplemented'],
  503: ['ServiceUnavailable', 'SlowDown'],
};
const statuses: ReadonlyMap<string, number> = new Map(
  Object.entries(codesByStatus).flatMap(([status, codes]) =>
    codes.map((code) => [code, Number(status)] as const),
  ),
);
/** Of any other code: stores have many of their own for faults that pass, and clients repeat what is 500. */
const unknownStatus = 500;

/** An error under a 200. */
export interface DelayedError extends StoreError {
  /** The HTTP status that belongs to its code. */
  readonly status: number;
}

/** The document of a delayed 200. */
export interface DelayedOutcome {
  /** The bytes that have not been passed on yet; empty with a `fault`. */
  readonly body: Buffer;
  /** Set when the document is an error. */
  readonly error: DelayedError | undefined;
  /** Set when the document is neither a whole result nor an error. */
  readonly fault: UpstreamFault | undefined;
}

/**
 * Holds the document of a delayed 200 until its end, so that an error in it can be answered with its own status. A slow
 * store keeps the connection alive with white space, Ceph RGW with `<Progress>` elements inside the result. After ten seconds
 * the white space is passed on, and the status 200 with it. For each piece of the result the client then gets a space.
 * The `<Location>` of a completed upload becomes the URL that the client used.
 * Source: AWS "CompleteMultipartUpload" and "CopyObject", on errors in a 200 response.
 */
export class CompleteResult {
  readonly #location: string;
  readonly #kept: GrowingBuffer;
  /** Bytes at the start that have been passed on. */
  #passed = 0;
  /** The part that is arriving. The preamble is the declaration and white space; a `malformed` one is not passed on. */
  #arriving: 'preamble' | 'root' | 'malformed' = 'preamble';

  /** @param location the object's URL as the client requested it */
  constructor(location: string, reservation: Reservation) {
    this.#location = location;
    this.#kept = new GrowingBuffer(reservation, maxBytes);
  }

  /**
   * Takes the next bytes. Returns false when the document is longer than any result.
   * @throws BudgetExhaustedError
   */
  push(data: Buffer): boolean {
    return this.#kept.push(data);
  }

  /** Returns the white space to pass on now; `waitedMs` is the time since the head arrived. */
  takeSpace(waitedMs: number): Buffer {
    if (waitedMs < patienceMs || this.#arriving === 'malformed') return nothing;
    if (this.#arriving === 'root') return space;
    const held = this.#held().subarray(0, maxPreamble).toString('latin1');
    const preamble = /^(<\?xml[^>]*\?>)?\s*(?=[^\s<]|<[^?]|$)/.exec(held)?.[0] ?? '';
    this.#passed += preamble.length;
    // Not searched again from here on: a slow store can send the document in very many pieces.
    if (/^<[^?]/.test(held.slice(preamble.length, preamble.length + 2))) this.#arriving = 'root';
    else if (preamble === '' && held.length === maxPreamble) this.#arriving = 'malformed';
    return Buffer.from(preamble, 'latin1');
  }

  /** Call at the end of the answer. */
  end(): DelayedOutcome {
    const document = this.#held();
    const text = document.toString('latin1');
    // White space can stand before the XML declaration too, where it is not well-formed.
    const trimmed = Buffer.from(text.trimStart(), 'latin1');
    const error = readStoreError(trimmed);
    if (error !== undefined) {
      const status = statuses.get(error.code) ?? unknownStatus;
      return { body: trimmed, error: { ...error, status }, fault: undefined };
    }
    if (!isWholeResult(text.trim())) {
      const fault = new UpstreamFault('protocol', 'the store answered without a whole result');
      return { body: nothing, error: undefined, fault };
    }
    const location = Buffer.from(escapeXml(this.#location), 'utf8').toString('latin1');
    const rewritten = text.replace(/<Location>[^<]*<\/Location>/, () => `<Location>${location}</Location>`);
    return { body: Buffer.from(rewritten, 'latin1'), error: undefined, fault: undefined };
  }

  #held(): Buffer {
    return this.#kept.bytes().subarray(this.#passed);
  }
}

// `readXml` would refuse the results of Ceph RGW 16 for some keys: it writes the control character 1 as `&#x01;`, which
// XML 1.0 forbids (observed 2026-11-29). When a copy fails after the first `<Progress>`, RGW ends the document there.
function isWholeResult(text: string): boolean {
  const [start, root] = rootTag.exec(text) ?? [];
  if (start === undefined || errorTag.test(text)) return false;
  return start.endsWith('/>') ? start === text : text.endsWith(`</${root}>`);
}
