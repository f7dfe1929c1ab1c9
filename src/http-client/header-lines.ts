import { trimOws } from '../core/header-list.ts';
import { protocolFault } from './http-fault.ts';

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Any character but tab, space, visible ASCII and 0x80 to 0xff (RFC 9110 section 5.5). */
const forbiddenInValue = /[^\t\x20-\x7e\x80-\xff]/;

const framing = /^(?:content-length|transfer-encoding)$/i;

/** More than any store sends. Every field costs an object downstream. */
const maxFields = 512;

/** True for a valid header name. */
export function isToken(text: string): boolean {
  return token.test(text);
}

/** True for a valid header value in latin1. It cannot contain a line break. */
export function isFieldValue(text: string): boolean {
  return !forbiddenInValue.test(text);
}

/**
 * Parses header lines, each with its CR LF, from `start` to the end of `text`. Returns them flat: name in lower case,
 * value, name, value. Folded lines, white space before a colon, and bare CR or LF are refused, because implementations read
 * them in different ways (RFC 9112 sections 2.2, 5.1 and 5.2).
 *
 * @throws HttpFault `protocol`
 */
export function readHeaderLines(text: string, start: number): string[] {
  const fields: string[] = [];
  let index = start;
  while (index < text.length) {
    const end = text.indexOf('\r\n', index);
    if (end < 0) throw protocolFault('a header line has no end');
    const colon = text.indexOf(':', index);
    if (colon < 0 || colon > end) throw protocolFault('a header line has no colon');
    const name = text.slice(index, colon);
    const value = trimOws(text.slice(colon + 1, end));
    // Parsers disagree about a tab there.
    if (value.length < end - colon - 2 && framing.test(name) && text.slice(colon, end).includes('\t'))
      throw protocolFault('a length or a transfer coding has a tab around it');
    if (!isToken(name)) throw protocolFault('a header has an invalid name');
    if (!isFieldValue(value)) throw protocolFault('a header has an invalid value');
    if (fields.length >= maxFields * 2) throw protocolFault('there are too many headers');
    fields.push(name.toLowerCase(), value);
    index = end + 2;
  }
  return fields;
}
