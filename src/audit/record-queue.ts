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

/** How long the lines of a holder wait aside after a loss, in milliseconds. */
const asideMs = 300_000;

/**
 * Lines that wait for one sink, in their order, bounded in bytes. Room can be reserved for lines that are not there yet. Lines and
 * reservations of one holder never have more than what is left for all others.
 *
 * The lines of holders who have had one that could not be delivered wait aside, so that more of that kind keep back nobody else's.
 */
export class RecordQueue {
  readonly #room: SharedBytes;
  #lines: Line[] = [];
  #aside: Line[] = [];
  /** Holders whose lines wait aside, and until when, by the monotonic clock in milliseconds. */
  readonly #setAside = new Map<string, number>();

  constructor(maxBytes: number) {
    this.#room = new SharedBytes(maxBytes);
  }

  /** All lines. */
  get length(): number {
    return this.#lines.length + this.#aside.length;
  }

  /** The lines that do not wait aside. */
  get inOrder(): number {
    return this.#lines.length;
  }

  /** The line that has waited aside for the longest time. */
  get firstAside(): Line | undefined {
    return this.#aside[0];
  }

  /** Sets the lines of a holder aside, those that wait and those that come in the next minutes, if any of others wait. */
  setAside(holder: string): void {
    if (this.#lines.every((line) => line.holder === holder)) return;
    this.#setAside.set(holder, performance.now() + asideMs);
    // There may be a million: too many for the arguments of a call.
    this.#aside = this.#aside.concat(this.#lines.filter((line) => line.holder === holder));
    this.#lines = this.#lines.filter((line) => line.holder !== holder);
  }

  /** Removes the first line that waits aside. */
  removeAside(): void {
    const line = this.#aside.shift();
    if (line !== undefined) this.#room.change(line.holder, -line.bytes);
  }

  #waitsAside(holder: string): boolean {
    const untilMs = this.#setAside.get(holder);
    if (untilMs === undefined) return false;
    const isOver = performance.now() > untilMs && this.#aside.every((line) => line.holder !== holder);
    if (isOver) this.#setAside.delete(holder);
    return !isOver;
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
    if (hasRoom) (this.#waitsAside(line.holder) ? this.#aside : this.#lines).push(line);
    else this.#room.change(line.holder, -reserved);
    return hasRoom;
  }

  /** Those that do not wait aside, from a place on: at least one, if there is one, and no more than that many lines and bytes. */
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

  /** Removes that many of them from a place on, and returns them. */
  remove(place: number, count: number): Line[] {
    const removed = this.#lines.splice(place, count);
    for (const { holder, bytes } of removed) this.#room.change(holder, -bytes);
    return removed;
  }
}
