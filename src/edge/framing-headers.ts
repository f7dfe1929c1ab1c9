import type { IncomingHttpHeaders } from 'node:http';

/**
 * Reads the fields that frame a body from the flat form of `rawHeaders`.
 * @param isArriving true to read also `Host` and `Expect`, which Node looks at when a request arrives
 */
export function framingOf(rawHeaders: readonly string[], isArriving: boolean): IncomingHttpHeaders {
  const framing: IncomingHttpHeaders = {};
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const value = rawHeaders[index + 1] ?? '';
    switch (name.length) {
      case 4:
        if (isArriving && name.toLowerCase() === 'host') framing.host ??= value;
        break;
      case 6:
        if (isArriving && name.toLowerCase() === 'expect')
          framing.expect = framing.expect === undefined ? value : `${framing.expect}, ${value}`;
        break;
      case 14:
        // The length may have thousands of leading zeros.
        if (name.toLowerCase() === 'content-length') framing['content-length'] ??= String(Number(value));
        break;
      case 17:
        // Any other coding is refused.
        if (name.toLowerCase() === 'transfer-encoding') framing['transfer-encoding'] = 'chunked';
        break;
      default:
    }
  }
  return framing;
}
