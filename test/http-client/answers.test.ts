import { describe, expect, it } from 'vitest';
import { AnswerParser } from '../../src/http-client/answer-parser.ts';
import { startCpuTime } from '../support/cpu-time.ts';
import { bytewise, readAnswer } from './reading.ts';

const ok = 'HTTP/1.1 200 OK\r\n';
const chunked = `${ok}transfer-encoding: chunked\r\n\r\n`;

/** Reads an answer in one piece, byte by byte, and cut in two at every place: all must agree. */
function read(text: string, isHead = false): unknown {
  const whole = Buffer.from(text, 'latin1');
  const first = readAnswer([whole], isHead);
  expect(readAnswer(bytewise(text), isHead)).toEqual(first);
  if (text.length < 2000) {
    for (let index = 1; index < whole.length; index += 1)
      expect(readAnswer([whole.subarray(0, index), whole.subarray(index)], isHead)).toEqual(first);
  }
  return first;
}

const answered = (body: string, isReusable = true, status = 200): unknown =>
  expect.objectContaining({ status, body, isReusable });

describe('an answer with an unambiguous end', () => {
  it.each<[string, string, string, boolean]>([
    ['by its length', `${ok}content-length: 5\r\n\r\nhello`, 'hello', true],
    ['by a length of none', `${ok}content-length: 0\r\n\r\n`, '', true],
    ['by a length with zeros before it', `${ok}content-length: 005\r\n\r\nhello`, 'hello', true],
    ['by chunks', `${chunked}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`, 'hello world', true],
    [
      'by chunks, with capitals',
      `${ok}Transfer-Encoding: CHUNKED\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n`,
      '0123456789',
      true,
    ],
    ['by chunks with extensions', `${chunked}5;a;b=c\r\nhello\r\n00;last\r\n\r\n`, 'hello', true],
    ['by chunks with trailers', `${chunked}5\r\nhello\r\n0\r\nx-a: b\r\nx-c:\r\n\r\n`, 'hello', true],
    ['by the end of the connection', `${ok}\r\nhello`, 'hello', false],
    ['by the end of an HTTP/1.0 connection', 'HTTP/1.0 200 OK\r\n\r\nhello', 'hello', false],
    [
      'by its length in HTTP/1.0',
      'HTTP/1.0 200 OK\r\ncontent-length: 5\r\nconnection: keep-alive\r\n\r\nhello',
      'hello',
      false,
    ],
    ['without a reason', 'HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n', '', true],
    ['with an empty reason', 'HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n', '', true],
    ['after 100 Continue', `HTTP/1.1 100 Continue\r\n\r\n${ok}content-length: 2\r\n\r\nok`, 'ok', true],
    [
      'after 102 and 103',
      `HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 E\r\nlink: x\r\n\r\n${ok}content-length: 2\r\n\r\nok`,
      'ok',
      true,
    ],
    ['after 100, then chunks', `HTTP/1.1 100 Continue\r\n\r\n${chunked}2\r\nok\r\n0\r\n\r\n`, 'ok', true],
  ])('is read: %s', (_, text, body, isReusable) => {
    expect(read(text)).toEqual(answered(body, isReusable));
  });

  it.each(['content-length: 5', 'transfer-encoding: chunked', 'x: y'])(
    'has no body after HEAD, 204 and 304, whatever it declares (%s)',
    (header) => {
      expect(read(`${ok}${header}\r\n\r\n`, true)).toEqual(answered(''));
      for (const status of [204, 304])
        expect(read(`HTTP/1.1 ${status} X\r\n${header}\r\n\r\n`)).toEqual(answered('', true, status));
    },
  );

  it('keeps the case of values, repeats, bytes above ASCII and the order of headers', () => {
    expect(read(`${ok}X-A: One \r\nx-b:\t\xe9\xff\t\r\nX-a:two\r\ncontent-length: 0\r\n\r\n`)).toMatchObject({
      headers: ['x-a', 'One', 'x-b', '\xe9\xff', 'x-a', 'two', 'content-length', '0'],
    });
  });
});

describe('a connection', () => {
  it.each([
    ['connection: close\r\n'],
    ['connection: keep-alive, Close\r\n'],
    ['connection: keep-alive\r\nconnection: close\r\n'],
    ['connection: x-a,close\r\n'],
  ])('is not used again after %j', (headers) => {
    expect(read(`${ok}${headers}content-length: 2\r\n\r\nok`)).toEqual(answered('ok', false));
  });

  it('is not used again when anything follows the answer', () => {
    for (const excess of ['x', '\r\n', `${ok}content-length: 0\r\n\r\n`]) {
      expect(readAnswer([Buffer.from(`${ok}content-length: 2\r\n\r\nok${excess}`)])).toEqual(
        answered('ok', false),
      );
      expect(readAnswer(bytewise(`${chunked}2\r\nok\r\n0\r\n\r\n${excess}`))).toEqual(answered('ok', false));
    }
  });
});

describe('an answer that could be read in two ways, or is malformed, is refused', () => {
  it.each<[string, string]>([
    ['two lengths', `${ok}content-length: 5\r\ncontent-length: 6\r\n\r\nhello`],
    ['the same length twice', `${ok}content-length: 5\r\ncontent-length: 5\r\n\r\nhello`],
    ['a list of lengths', `${ok}content-length: 5, 5\r\n\r\nhello`],
    [
      'a length and chunks',
      `${ok}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    ],
    [
      'chunks and a length',
      `${ok}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    ],
    ['a signed length', `${ok}content-length: +5\r\n\r\nhello`],
    ['a negative length', `${ok}content-length: -5\r\n\r\nhello`],
    ['a hexadecimal length', `${ok}content-length: 0x5\r\n\r\nhello`],
    ['an empty length', `${ok}content-length:\r\n\r\nhello`],
    ['a fraction', `${ok}content-length: 5.0\r\n\r\nhello`],
    ['a huge length', `${ok}content-length: 99999999999999999999\r\n\r\nhello`],
    ['another coding', `${ok}transfer-encoding: gzip\r\n\r\nhello`],
    ['another coding before chunks', `${ok}transfer-encoding: x, chunked\r\n\r\n0\r\n\r\n`],
    ['chunks before another coding', `${ok}transfer-encoding: chunked, x\r\n\r\n0\r\n\r\n`],
    ['chunks twice', `${ok}transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n`],
    ['two codings', `${ok}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['an empty coding', `${ok}transfer-encoding:\r\n\r\nhello`],
    ['a quoted coding', `${ok}transfer-encoding: "chunked"\r\n\r\n0\r\n\r\n`],
    ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['switched protocols', 'HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n'],
    ['an interim answer with a length', `HTTP/1.1 100 C\r\ncontent-length: 0\r\n\r\n${ok}\r\n`],
    [
      'an interim answer with chunks',
      `HTTP/1.1 103 E\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${ok}\r\n`,
    ],
    ['interim answers without end', `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(65)}${ok}\r\n`],
    ['a folded line', `${ok}x-a: b\r\n c\r\ncontent-length: 0\r\n\r\n`],
    ['a folded line at the start', `${ok} x-a: b\r\n\r\n`],
    ['white space before a colon', `${ok}content-length : 5\r\n\r\nhello`],
    ['a header without a name', `${ok}: b\r\n\r\n`],
    ['a header without a colon', `${ok}x-a\r\n\r\n`],
    ['a bare LF in a header', `${ok}x-a: b\ncontent-length: 5\r\n\r\nhello`],
    ['a bare CR in a header', `${ok}x-a: b\rcontent-length: 5\r\n\r\nhello`],
    ['NUL in a header', `${ok}x-a: \0\r\n\r\n`],
    ['DEL in a header', `${ok}x-a: \x7f\r\n\r\n`],
    ['a space in a name', `${ok}x a: b\r\n\r\n`],
    ['a byte above ASCII in a name', `${ok}x-\xe9: b\r\n\r\n`],
    ['another protocol', 'ICY 200 OK\r\n\r\n'],
    ['SSH', 'SSH-2.0-x\r\n\r\n'],
    ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['HTTP/0.9', 'HTTP/0.9 200 OK\r\n\r\n'],
    ['a small http', 'http/1.1 200 OK\r\n\r\n'],
    ['an empty line before', `\r\n${ok}\r\n`],
    ['white space before', ` ${ok}\r\n`],
    ['two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status of 0', 'HTTP/1.1 000 OK\r\n\r\n'],
    ['a status of 600', 'HTTP/1.1 600 OK\r\n\r\n'],
    ['a tab before the status', 'HTTP/1.1\t200 OK\r\n\r\n'],
    ['NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n'],
    ['lines that end in LF', 'HTTP/1.1 200 OK\ncontent-length: 0\n\n'],
    ['a chunk without a size', `${chunked}\r\nhello\r\n0\r\n\r\n`],
    ['a size that is not a number', `${chunked}xyz\r\nhello\r\n0\r\n\r\n`],
    ['a signed size', `${chunked}+5\r\nhello\r\n0\r\n\r\n`],
    ['a negative size', `${chunked}-5\r\nhello\r\n0\r\n\r\n`],
    ['a size with 0x', `${chunked}0x5\r\nhello\r\n0\r\n\r\n`],
    ['a size after a space', `${chunked} 5\r\nhello\r\n0\r\n\r\n`],
    ['a space after a size', `${chunked}5 \r\nhello\r\n0\r\n\r\n`],
    ['a huge size', `${chunked}fffffffffffffff\r\nhello\r\n0\r\n\r\n`],
    ['a size that ends in LF', `${chunked}5\nhello\r\n0\r\n\r\n`],
    ['a size that ends in CR', `${chunked}5\rhello\r\n0\r\n\r\n`],
    ['a chunk longer than its size', `${chunked}4\r\nhello\r\n0\r\n\r\n`],
    ['a chunk shorter than its size', `${chunked}6\r\nhello\r\n0\r\n\r\n`],
    ['a chunk that ends in LF', `${chunked}5\r\nhello\n0\r\n\r\n`],
    ['an extension with a line end', `${chunked}5;a\nb\r\nhello\r\n0\r\n\r\n`],
    ['an extension of nothing', `${chunked}5;\r\nhello\r\n0\r\n\r\n`],
    ['an extension without end', `${chunked}5;${'a'.repeat(300)}\r\nhello\r\n0\r\n\r\n`],
    ['a length among the trailers', `${chunked}0\r\ncontent-length: 5\r\n\r\n`],
    ['a coding among the trailers', `${chunked}0\r\ntransfer-encoding: chunked\r\n\r\n`],
    ['a malformed trailer', `${chunked}0\r\nx a: b\r\n\r\n`],
    ['a folded trailer', `${chunked}0\r\nx-a: b\r\n c\r\n\r\n`],
    ['trailers without end', `${chunked}0\r\n${'x: y\r\n'.repeat(2000)}\r\n`],
    ['more than 512 headers', `${ok}${'x: y\r\n'.repeat(513)}\r\n`],
    ['a head over 64 KiB', `${ok}x: ${'y'.repeat(66_000)}\r\n\r\n`],
    ['a head without end', `${ok}x: ${'y'.repeat(70_000)}`],
  ])('%s', (_, text) => {
    expect(read(text)).toMatch(/^(protocol|reset)$/);
  });

  it('is a protocol fault, not a reset, when the bytes are invalid', () => {
    expect(read(`${ok}content-length: 5, 5\r\n\r\nhello`)).toBe('protocol');
    expect(read(`${chunked}4\r\nhello\r\n0\r\n\r\n`)).toBe('protocol');
  });
});

describe('an answer that ends too early is a reset', () => {
  it.each([
    ['before its head', ''],
    ['in its head', 'HTTP/1.1 200 OK\r\nx-'],
    ['after an interim answer', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['in its body', `${ok}content-length: 5\r\n\r\nhell`],
    ['before its last chunk', `${chunked}5\r\nhello\r\n`],
    ['in its last chunk', `${chunked}5\r\nhello\r\n0\r\n`],
    ['in its trailers', `${chunked}5\r\nhello\r\n0\r\nx-a: b\r\n`],
  ])('%s', (_, text) => {
    expect(readAnswer([Buffer.from(text)])).toBe('reset');
    expect(readAnswer(bytewise(text))).toBe('reset');
  });
});

it('a long head in tiny pieces costs no more than its length', () => {
  const head = `${ok}${Array.from({ length: 500 }, (_, index) => `x-${index}: ${'v'.repeat(100)}\r\n`).join('')}content-length: 0\r\n\r\n`;
  const pieces = bytewise(head);
  const cpuMs = startCpuTime();
  expect(readAnswer(pieces)).toEqual(answered(''));
  // Quadratic work would take minutes.
  expect(cpuMs()).toBeLessThan(5000);
});

describe('chunks', () => {
  const collect = (bytes: Buffer, cutAt: number): Buffer[] => {
    const pieces: Buffer[] = [];
    const parser = new AnswerParser(false, {
      onHead: () => undefined,
      onData: (piece) => pieces.push(piece),
    });
    for (const part of [bytes.subarray(0, cutAt), bytes.subarray(cutAt)]) parser.push(Buffer.from(part));
    expect(parser.isEnded).toBe(true);
    return pieces;
  };

  it('are passed on together when they are small, and none is overwritten by the next', () => {
    const sizes = [1, 1, 900, 5000, 1, 2, 3, 1023, 1024, 1, 40_000, 7, 7, 1025, 1];
    const chunks = sizes.map((size, index) => String.fromCharCode(97 + index).repeat(size));
    const framed = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`);
    const bytes = Buffer.from(`${chunked}${framed.join('')}0\r\n\r\n`, 'latin1');
    for (let cutAt = 1; cutAt < bytes.length; cutAt += 97)
      expect(Buffer.concat(collect(bytes, cutAt)).toString('latin1')).toBe(chunks.join(''));
  });

  it('of one byte, thousands in a read, become one piece', () => {
    const bytes = Buffer.from(`${chunked}${'1\r\na\r\n'.repeat(10_000)}0\r\n\r\n`, 'latin1');
    expect(collect(bytes, bytes.length - 1)).toHaveLength(1);
  });
});
