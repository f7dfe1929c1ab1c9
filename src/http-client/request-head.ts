import { isFieldValue, isToken } from './header-lines.ts';

/** One request to send. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query, visible ASCII. */
  readonly target: string;
  /** Flat: name, value, name, value; latin1. `Host`, and `Content-Length` where there is a body, are the caller's. */
  readonly headers: readonly string[];
  /** The whole body, or the number of bytes that will be written to the exchange; absent: no body. */
  readonly body?: Buffer | number;
  /** True to have a connection that nothing was sent on before. */
  readonly isFresh?: boolean;
}

const visibleAscii = /^[\x21-\x7e]+$/;

/**
 * Writes the head of a request. What could end a line early is refused, and so is a character above latin1: cut down to
 * a byte it could be a line feed.
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
