/** One header field as it stands on the wire, the name lower-cased. */
export interface HeaderField {
  readonly name: string;
  /** The field value, latin1 characters, without surrounding white space. */
  readonly value: string;
}

/**
 * Most header fields of one request. Each takes some 60 bytes of memory beyond its own, so a head of a few kilobytes
 * could take ten times its length. AWS's 2 KB of user metadata make at most 160.
 */
export const maxHeaders = 256;

/**
 * The header fields of one message, in order, repeats kept apart. `node:http` joins or drops repeated fields in
 * `headers`, so signatures can only be checked against this list.
 */
export class HeaderList implements Iterable<HeaderField> {
  readonly #fields: readonly HeaderField[];

  constructor(fields: readonly HeaderField[]) {
    this.#fields = fields;
  }

  /** Reads the flat `[name, value, name, value]` form of `IncomingMessage.rawHeaders`. */
  static fromRaw(rawHeaders: readonly string[]): HeaderList {
    const fields: HeaderField[] = [];
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      const name = rawHeaders[index] ?? '';
      const value = rawHeaders[index + 1] ?? '';
      fields.push({ name: name.toLowerCase(), value: trimOws(value) });
    }
    return new HeaderList(fields);
  }

  [Symbol.iterator](): Iterator<HeaderField> {
    return this.#fields[Symbol.iterator]();
  }

  /** The value of the first field of that lower-case name. */
  get(name: string): string | undefined {
    for (const field of this.#fields) if (field.name === name) return field.value;
    return undefined;
  }

  /** All values of that lower-case name, in order. */
  getAll(name: string): string[] {
    const values: string[] = [];
    for (const field of this.#fields) if (field.name === name) values.push(field.value);
    return values;
  }

  /** All values of that lower-case name as Signature V4 reads them: runs of spaces are one, and a comma joins the values. */
  joined(name: string): string | undefined {
    let joined: string | undefined;
    for (const field of this.#fields) {
      if (field.name !== name) continue;
      const value = collapseOws(field.value);
      joined = joined === undefined ? value : `${joined},${value}`;
    }
    return joined;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** How many fields carry that lower-case name. */
  count(name: string): number {
    let count = 0;
    for (const field of this.#fields) if (field.name === name) count += 1;
    return count;
  }
}

/** Removes optional white space (RFC 9110: space and tab) only: `trim` would eat the last byte of a UTF-8 `à`. */
export function trimOws(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isOws(value.charCodeAt(start))) start += 1;
  while (end > start && isOws(value.charCodeAt(end - 1))) end -= 1;
  return start === 0 && end === value.length ? value : value.slice(start, end);
}

/**
 * Makes every run of spaces and tabs one space, which is how Signature V4 reads a value. `\s` would also match the second
 * byte of a UTF-8 `à`: header text is latin1 here.
 */
export function collapseOws(value: string): string {
  return value.includes('  ') || value.includes('\t') ? value.replaceAll(/[ \t]+/g, ' ') : value;
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
