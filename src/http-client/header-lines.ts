import { trimOws } from '../core/header-list.ts';
import { protocolFault } from './http-fault.ts';

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Anything but a tab, a space, visible ASCII and bytes above it (RFC 9110 section 5.5). */
const forbiddenInValue = /[^\t\x20-\x7e\x80-\xff]/;

const framing = /^(?:content-length|transfer-encoding)$/i;

/** More than any store sends; every one costs an object further on. */
const maxFields = 512;

/** True for what can be the name of a header. */
export function isToken(text: string): boolean {
  return token.test(text);
}

/** True for what can be the value of a header, latin1. Nothing that could end a line is. */
export function isFieldValue(text: string): boolean {
  return !forbiddenInValue.test(text);
}

/**
 * Reads header lines, each ended by CR LF, from `start` to the end of `text`. Returns them flat: name in lower case,
 * value, name, value. A folded line, white space before a colon and bare CR or LF are refused: peers and proxies read
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
    // Parsers differ on a tab there.
    if (value.length < end - colon - 2 && framing.test(name) && text.slice(colon, end).includes('\t'))
      throw protocolFault('a tab stands beside what decides about the framing');
    if (!isToken(name)) throw protocolFault('a header has an invalid name');
    if (!isFieldValue(value)) throw protocolFault('a header has an invalid value');
    if (fields.length >= maxFields * 2) throw protocolFault('there are too many headers');
    fields.push(name.toLowerCase(), value);
    index = end + 2;
  }
  return fields;
}
