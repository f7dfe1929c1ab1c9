import { readHeaderLines } from './header-lines.ts';
import { protocolFault } from './http-fault.ts';

/** The head of an answer. */
export interface AnswerHead {
  /** 200 to 599. */
  readonly status: number;
  /** Flat: name in lower case, value, name, value. In latin1, in the order received, with duplicates. */
  readonly headers: readonly string[];
}

/** What ends the body of an answer (RFC 9112 section 6.3). */
export type BodyEnd = 'none' | 'length' | 'chunked' | 'close';

/** A head, with the framing of the body and what follows for the connection. */
export interface ParsedHead extends AnswerHead {
  readonly body: BodyEnd;
  /** Bytes of a body that ends by `length`. */
  readonly length: number;
  /** True when the connection can carry another request afterwards. */
  readonly keepsAlive: boolean;
  /** The value of `Keep-Alive`. */
  readonly keepAlive: string | undefined;
}

const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const switchingProtocols = 101;

/**
 * Parses a head: the status line and the header lines, each with its CR LF, without the empty line. Refuses what could be
 * read in two ways: two lengths, a length beside a transfer coding, any transfer coding but `chunked`.
 *
 * @param isHead true for the answer to HEAD, which has no body whatever the head says
 * @throws HttpFault `protocol`
 */
export function parseHead(text: string, isHead: boolean): ParsedHead {
  const end = text.indexOf('\r\n');
  const [, minor, digits] = statusLine.exec(text.slice(0, end)) ?? [];
  if (digits === undefined) throw protocolFault('the status line is malformed');
  const status = Number(digits);
  if (status === switchingProtocols)
    throw protocolFault('the protocol was switched, which was not asked for');
  const headers = readHeaderLines(text, end + 2);
  const isHttp10 = minor === '0';
  let lengthText: string | undefined;
  let coding: string | undefined;
  let keepAlive: string | undefined;
  let keepsAlive = !isHttp10;
  for (let index = 0; index < headers.length; index += 2) {
    const value = headers[index + 1] ?? '';
    switch (headers[index] ?? '') {
      case 'content-length':
        if (lengthText !== undefined) throw protocolFault('there are two lengths');
        lengthText = value;
        break;
      case 'transfer-encoding':
        if (coding !== undefined) throw protocolFault('there are two transfer codings');
        coding = value;
        break;
      case 'connection':
        if (namesClose(value)) keepsAlive = false;
        break;
      case 'keep-alive':
        keepAlive = value;
        break;
      default:
    }
  }
  const length = lengthText === undefined ? 0 : readLength(lengthText);
  if (coding !== undefined) {
    if (lengthText !== undefined) throw protocolFault('there is a length beside a transfer coding');
    if (isHttp10 || coding.toLowerCase() !== 'chunked')
      throw protocolFault('the transfer coding is not chunked');
  }
  const isInterim = status < 200;
  if (isInterim && (lengthText ?? coding) !== undefined) throw protocolFault('an interim answer has a body');
  const isBodiless = isHead || isInterim || status === 204 || status === 304;
  const body = isBodiless
    ? 'none'
    : coding !== undefined
      ? 'chunked'
      : lengthText !== undefined
        ? 'length'
        : 'close';
  return { status, headers, body, length, keepsAlive: keepsAlive && body !== 'close', keepAlive };
}

function readLength(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw protocolFault('the length is malformed');
  return Number(text);
}

function namesClose(value: string): boolean {
  if (value === 'keep-alive') return false;
  return value.split(',').some((option) => option.trim().toLowerCase() === 'close');
}
