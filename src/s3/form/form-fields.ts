import { decodeUtf8 } from '../../core/bytes.ts';
import { trimOws } from '../../core/header-list.ts';
import { s3Error } from '../errors.ts';

/** AWS's limit for everything before the content of the file, in bytes. */
export const maxBytesBeforeFile = 20_480;

/** A form of AWS's SDKs has some ten. Each costs a few microseconds before any signature is verified. */
const maxFields = 64;

/** What a form says before the content of its file. */
export interface FormFields {
  /** By lower-case name, as they were sent. */
  readonly fields: ReadonlyMap<string, string>;
  /** The name of the file, without folders; `undefined` when the client sends none, which is another thing than an empty one. */
  readonly fileName: string | undefined;
  /** Where the content of the file begins. */
  readonly fileStart: number;
}

/**
 * Reads the fields of a form from all of its bytes that have come so far; every byte is searched once. The file is the last part,
 * and what follows it is not read here. Source: RFC 7578, and AWS "POST Object".
 *
 * Nothing before the first part, repeated names, encodings of a part and unknown parameters are refused, since a form has one meaning
 * or none.
 */
export class FormReader {
  readonly #delimiter: Buffer;
  readonly #fields = new Map<string, string>();
  /** Where the part begins that is read now: at its headers, or at its value. */
  #start = 0;
  /** Nothing that ends it begins before here. */
  #searched = 0;
  /** The field whose value is read now. */
  #name: string | undefined;

  /** @param delimiter two hyphens and the boundary */
  constructor(delimiter: string) {
    this.#delimiter = Buffer.from(`\r\n${delimiter}`, 'latin1');
  }

  /**
   * @param bytes the body so far: what was given before, and more
   * @returns `undefined` when more is needed
   * @throws `MalformedPOSTRequest`, `InvalidArgument`
   */
  read(bytes: Buffer): FormFields | undefined {
    for (;;) {
      if (this.#start === 0 && !this.#passOpening(bytes)) return undefined;
      const needle = this.#name === undefined ? headersEnd : this.#delimiter;
      const end = bytes.indexOf(needle, this.#searched);
      if (end < 0) {
        this.#searched = Math.max(this.#searched, bytes.length - needle.length + 1);
        return undefined;
      }
      if (this.#name === undefined) {
        const part = readPart(bytes.toString('latin1', this.#start, end));
        this.#moveTo(end + needle.length);
        if (part.name === 'file')
          return { fields: this.#fields, fileName: part.fileName, fileStart: this.#start };
        this.#name = part.name;
        // A delimiter may use the line end of the headers: such a part has no value (RFC 2046 section 5.1.1).
        this.#searched -= lineEnd.length;
      } else {
        if (end < this.#start) throw s3Error('MalformedPOSTRequest');
        const next = end + needle.length + 2;
        if (bytes.length < next) return undefined;
        this.#keep(this.#name, bytes.subarray(this.#start, end));
        // Two hyphens would end the form before its file.
        if (bytes.toString('latin1', next - 2, next) !== '\r\n') throw s3Error('InvalidArgument', oneFile);
        this.#name = undefined;
        this.#moveTo(next);
      }
    }
  }

  /** False while the first delimiter has not come. */
  #passOpening(bytes: Buffer): boolean {
    const opening = Buffer.concat([this.#delimiter.subarray(2), lineEnd]);
    if (bytes.length < opening.length) return false;
    if (!bytes.subarray(0, opening.length).equals(opening)) throw s3Error('MalformedPOSTRequest');
    this.#moveTo(opening.length);
    return true;
  }

  #moveTo(start: number): void {
    this.#start = start;
    this.#searched = start;
  }

  #keep(name: string, bytes: Buffer): void {
    const value = decodeUtf8(bytes);
    if (value === undefined) throw s3Error('MalformedPOSTRequest');
    if (this.#fields.has(name)) throw s3Error('InvalidArgument', 'A field of the form is repeated.');
    if (this.#fields.size === maxFields) throw s3Error('InvalidArgument', 'The form has too many fields.');
    this.#fields.set(name, value);
  }
}

const headersEnd = Buffer.from('\r\n\r\n');
const lineEnd = Buffer.from('\r\n');

/** AWS's text. */
const oneFile = 'POST requires exactly one file upload per request.';

interface Part {
  readonly name: string;
  readonly fileName: string | undefined;
}

/** Clients send three at most. */
const maxPartHeaders = 8;
const disposition = /^form-data;[ \t]*name="([^"]*)"(?:;[ \t]*filename="([^"]*)")?$/i;
/** Encodings that leave the bytes of a part as they are (RFC 2045 section 6.2). */
const identities: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary']);

function readPart(head: string): Part {
  const headers = new Map<string, string>();
  const lines = head.split('\r\n', maxPartHeaders + 1);
  if (lines.length > maxPartHeaders) throw s3Error('MalformedPOSTRequest');
  for (const line of lines) {
    // A hyphen at the beginning could be that of a boundary.
    const [, name = '', value = ''] = /^([A-Za-z][A-Za-z-]*):([^\r\n]*)$/.exec(line) ?? [];
    const lowerName = name.toLowerCase();
    if (name === '' || headers.has(lowerName)) throw s3Error('MalformedPOSTRequest');
    headers.set(lowerName, trimOws(value));
  }
  const [, name = '', fileName] = disposition.exec(headers.get('content-disposition') ?? '') ?? [];
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase() ?? 'binary';
  if (name === '' || !identities.has(encoding)) throw s3Error('MalformedPOSTRequest');
  const known = fileName === undefined ? undefined : withoutFolders(textOf(fileName));
  return { name: textOf(name).toLowerCase(), fileName: known };
}

// Names are UTF-8, in which browsers write these three characters percent-encoded (WHATWG "multipart/form-data").
function textOf(latin1: string): string {
  const text = decodeUtf8(Buffer.from(latin1, 'latin1'));
  if (text === undefined) throw s3Error('MalformedPOSTRequest');
  return text
    .replaceAll('%22', '"')
    .replaceAll(/%0[Dd]/g, '\r')
    .replaceAll(/%0[Aa]/g, '\n');
}

function withoutFolders(fileName: string): string {
  return fileName.slice(Math.max(fileName.lastIndexOf('/'), fileName.lastIndexOf('\\')) + 1);
}
