import { SharedBytes } from '../core/shared-bytes.ts';

/** A record that waits for a sink. */
export interface Line {
  readonly text: string;
  /** In UTF-8. */
  readonly bytes: number;
  /** Whose room it takes: a role or user, an identity provider for its users, or all strangers. */
  readonly holder: string;
}

/** Room in every queue that is reserved for the record of one request. */
export interface Room {
  readonly holder: string;
  readonly bytes: number;
}

/**
 * Lines that wait for one sink, in their order, bounded in bytes. Room can be reserved for lines that are not there yet. Lines and
 * reservations of one holder never have more than what is left for all others.
 */
export class RecordQueue {
  readonly #room: SharedBytes;
  readonly #lines: Line[] = [];

  constructor(maxBytes: number) {
    this.#room = new SharedBytes(maxBytes);
  }

  get length(): number {
    return this.#lines.length;
  }

  /** Reserves that many bytes more, or gives back; false, and nothing changes, when there is no room for the holder. */
  reserve(holder: string, bytes: number): boolean {
    return this.#room.change(holder, bytes);
  }

  /**
   * Appends a line.
   * @param reserved bytes that its holder has reserved for it
   * @returns false when there is no room for the holder
   */
  add(line: Line, reserved: number): boolean {
    const hasRoom = this.#room.change(line.holder, line.bytes - reserved);
    if (hasRoom) this.#lines.push(line);
    else this.#room.change(line.holder, -reserved);
    return hasRoom;
  }

  /** The first lines: at least one, if there is one, and no more than that many lines and bytes. */
  first(most: { readonly lines: number; readonly bytes: number }): string[] {
    const taken: string[] = [];
    let bytes = 0;
    for (const line of this.#lines) {
      bytes += line.bytes;
      if (taken.length > 0 && (taken.length === most.lines || bytes > most.bytes)) break;
      taken.push(line.text);
    }
    return taken;
  }

  /** Removes that many of the first lines. */
  remove(count: number): void {
    for (const { holder, bytes } of this.#lines.splice(0, count)) this.#room.change(holder, -bytes);
  }
}
