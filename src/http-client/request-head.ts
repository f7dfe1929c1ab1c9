import { isFieldValue, isToken } from './header-lines.ts';

/** One request to send. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query, in visible ASCII. */
  readonly target: string;
  /** Flat: name, value, name, value; in latin1. The caller supplies `Host`, and `Content-Length` if there is a body. */
  readonly headers: readonly string[];
  /** The whole body, or the number of bytes that will be written to the exchange; absent: no body. */
  readonly body?: Buffer | number | undefined;
  /** True to use a new connection. */
  readonly isFresh?: boolean;
  /** True when the connection must not be closed because the answer takes too long: the handler is told instead. */
  readonly outlastsTimeouts?: boolean;
}

const visibleAscii = /^[\x21-\x7e]+$/;

/**
 * Writes the head of a request. Control characters are refused, and so are characters above latin1, which could become a line
 * feed when they are truncated to a byte.
 *
 * @throws TypeError
 */
export function writeRequestHead({ method, target, headers }: HttpRequest): string {
  if (!isToken(method) || !visibleAscii.test(target)) throw new TypeError('the request line is malformed');
  let head = `${method} ${target} HTTP/1.1\r\n`;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const value = headers[index + 1] ?? '';
    if (!isToken(name) || !isFieldValue(value)) throw new TypeError('a header of the request is malformed');
    head += `${name}: ${value}\r\n`;
  }
  return `${head}\r\n`;
}
