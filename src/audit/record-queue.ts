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

  /** The lines from a place on: at least one, if there is one, and no more than that many lines and bytes. */
  from(place: number, most: { readonly lines: number; readonly bytes: number }): string[] {
    const taken: string[] = [];
    let bytes = 0;
    for (const line of this.#lines.slice(place, place + most.lines)) {
      bytes += line.bytes;
      if (taken.length > 0 && bytes > most.bytes) break;
      taken.push(line.text);
    }
    return taken;
  }

  /** Removes that many lines from a place on, and returns them. */
  remove(place: number, count: number): Line[] {
    const removed = this.#lines.splice(place, count);
    for (const { holder, bytes } of removed) this.#room.change(holder, -bytes);
    return removed;
  }
}
