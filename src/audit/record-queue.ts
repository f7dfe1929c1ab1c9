interface Line {
  readonly text: string;
  /** In UTF-8. */
  readonly bytes: number;
}

/** Lines that wait for one sink, in their order, bounded in bytes. Room can be reserved for lines that are not there yet. */
export class RecordQueue {
  readonly #maxBytes: number;
  readonly #lines: Line[] = [];
  #bytes = 0;
  #reserved = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#lines.length;
  }

  /** Reserves that many bytes more, or gives back; false, and nothing changes, when there is no room. */
  reserve(bytes: number): boolean {
    if (bytes > 0 && this.#bytes + this.#reserved + bytes > this.#maxBytes) return false;
    this.#reserved += bytes;
    return true;
  }

  /**
   * Appends a line.
   * @param reserved bytes that were reserved for it
   * @param share the part of the queue that may be in use after a line without reservation, 0 to 1
   * @returns false when there is no room
   */
  add(line: Line, reserved: number, share: number): boolean {
    this.#reserved -= reserved;
    const used = this.#bytes + this.#reserved + line.bytes;
    if (line.bytes > reserved && used > this.#maxBytes * share) return false;
    this.#lines.push(line);
    this.#bytes += line.bytes;
    return true;
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
    for (const { bytes } of this.#lines.splice(0, count)) this.#bytes -= bytes;
  }
}
