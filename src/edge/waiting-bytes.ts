import type { IncomingMessage } from 'node:http';

/** Memory of the waiting requests of all connections of a listener, in bytes. */
export interface WaitingTotal {
  bytes: number;
}

/**
 * Most memory of the waiting requests of a connection, in bytes: some 60 requests. Needed besides pausing, because a single
 * read from the socket can bring thousands.
 */
const maxWaitingBytes = 131_072;
/** The same for all connections together, beside the first that waits on each. */
const maxTotalBytes = 8 * 1024 * 1024;
/** The first request that waits on a connection may take this many bytes, whatever the others take. */
const bytesOfFirst = 24_576;
/** The same, with its body, for one that waits for its turn alone: twice what SDKs send. */
const bytesOfUsual = 8_192;
/** From here on no more is read. A read brings up to 64 KiB. */
const muchBytes = 32_768;

/**
 * Memory of a request without headers, and of each name and value besides its characters: Node keeps headers as they came,
 * and as an object (Node 20, measured 2026-11).
 */
const bytesOfRequest = 2_048;
const bytesOfString = 64;

/** Memory of a request that waits, in bytes, without its body. */
export function headBytes({ url = '', rawHeaders }: IncomingMessage): number {
  let bytes = bytesOfRequest + url.length;
  for (const [index, text] of rawHeaders.entries()) {
    bytes += bytesOfString + (index % 2 === 0 ? 2 * text.length : text.length);
  }
  return bytes;
}

/** Memory of the requests that wait on one connection, with what has come of their bodies. */
export class WaitingBytes {
  readonly #total: WaitingTotal;
  #bytes = 0;

  /** @param total is kept up to date */
  constructor(total: WaitingTotal) {
    this.#total = total;
  }

  /** True when the connection may take so many more. `isFirst`: for the first request that waits. */
  hasRoomFor(bytes: number, isFirst: boolean): boolean {
    const needed = this.#bytes + bytes;
    if (isFirst && needed <= bytesOfFirst) return true;
    return needed <= maxWaitingBytes && this.#total.bytes + bytes <= maxTotalBytes;
  }

  /** True when a request that waits for its turn of the event loop may take so many more. */
  hasRoomForTurn(bytes: number): boolean {
    return this.#bytes + bytes <= bytesOfUsual || this.hasRoomFor(bytes, false);
  }

  /** Notes that the connection takes more, or less. */
  add(bytes: number): void {
    this.#bytes += bytes;
    this.#total.bytes += bytes;
  }

  /** Notes that nothing waits any more. */
  clear(): void {
    this.add(-this.#bytes);
  }

  /** True when no more should be read. */
  get isMuch(): boolean {
    return this.#bytes >= muchBytes;
  }
}
