import type { IncomingMessage } from 'node:http';
import { BodyFault } from '../core/body-fault.ts';
import type { Reservation } from '../core/byte-budget.ts';
import type { BodyCheck } from './body-check.ts';
import { consumeUntil } from './consume-body.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import type { HeaderChecks } from './header-checks.ts';

/** What follows the delimiter at the end of a form. */
const ending = Buffer.from('--\r\n');

/** How many bytes of a form follow its file. */
export function closingLength(delimiter: Buffer): number {
  return delimiter.length + ending.length;
}

/** What the beginning of a form says. */
interface FormHead {
  /** How many bytes it takes: the content of the file begins there. */
  readonly fileStart: number;
}

/** How the beginning of a form is read. */
export interface FormHeadReading<T extends FormHead> {
  /** Accounts for the bytes. */
  readonly reservation: Reservation;
  readonly maxBytes: number;
  readonly deadlineMs: number;
  /**
   * Reads all bytes so far; `undefined` when more are needed.
   * @throws for a malformed form
   */
  readonly read: (bytes: Buffer) => T | undefined;
}

/**
 * Reads the beginning of a form, up to the content of its file, which stays in the message.
 * @throws BodyFault `form_head_too_large`, `incomplete`, `idle`
 * @throws BudgetExhaustedError
 * @throws whatever `read` throws
 */
export async function readFormHead<T extends FormHead>(
  message: IncomingMessage,
  { reservation, maxBytes, deadlineMs, read }: FormHeadReading<T>,
): Promise<T> {
  const kept = new GrowingBuffer(reservation, maxBytes);
  let head: T | undefined;
  await consumeUntil(
    message,
    (piece) => {
      const before = kept.length;
      kept.push(piece.subarray(0, maxBytes - before));
      head = read(kept.bytes());
      if (head !== undefined) return piece.subarray(head.fileStart - before);
      if (kept.length === maxBytes) throw new BodyFault('form_head_too_large');
      return undefined;
    },
    deadlineMs,
  );
  if (head === undefined) throw new BodyFault('incomplete');
  return head;
}

/**
 * Verifies what follows the fields of a form: the file, the checksums of it in the fields, and nothing after it but the end of the form.
 * The delimiter does not begin inside the file: other readers of the form would see another part there.
 */
export class FormFileCheck implements BodyCheck {
  readonly #delimiter: Buffer;
  readonly #closing: Buffer;
  readonly #headerChecks: HeaderChecks;
  #left: number;
  /** The last bytes so far, with which a delimiter could begin. Before the file they are the line end of its headers. */
  #tail: Buffer = Buffer.from('\r\n');
  #closed = 0;

  /** @param delimiter CRLF, two hyphens and the boundary */
  constructor(length: number, delimiter: Buffer, headerChecks: HeaderChecks) {
    this.#left = length;
    this.#delimiter = delimiter;
    this.#closing = Buffer.concat([delimiter, ending]);
    this.#headerChecks = headerChecks;
  }

  take(wire: Buffer): readonly Buffer[] {
    const data = wire.subarray(0, this.#left);
    const rest = wire.subarray(data.length);
    this.#left -= data.length;
    const expected = this.#closing.subarray(this.#closed, this.#closed + rest.length);
    if (!rest.equals(expected)) throw new BodyFault('form_continues');
    this.#closed += rest.length;
    if (data.length === 0) return [];
    this.#requireNoDelimiter(data);
    this.#headerChecks.update(data);
    return [data];
  }

  finish(): void {
    if (this.#closed !== this.#closing.length) throw new BodyFault('incomplete');
    this.#headerChecks.finish();
  }

  #requireNoDelimiter(data: Buffer): void {
    const most = this.#delimiter.length - 1;
    const seam = Buffer.concat([this.#tail, data.subarray(0, most)]);
    if (seam.includes(this.#delimiter) || data.includes(this.#delimiter))
      throw new BodyFault('form_continues');
    this.#tail = data.length >= most ? data.subarray(data.length - most) : seam.subarray(-most);
  }
}
