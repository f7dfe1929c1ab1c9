/** A random answer of a server, right or wrong, in pieces. */
export interface GeneratedAnswer {
  readonly isHead: boolean;
  readonly pieces: readonly Buffer[];
}

/** Random whole numbers below `bound`, the same for every run with one seed (mulberry32). */
export type Random = (bound: number) => number;

export function randomFrom(seed: number): Random {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) % 0x7fffffff) % bound;
  };
}

const pick = <T>(random: Random, items: readonly [T, ...T[]]): T => items[random(items.length)] ?? items[0];

const statusLines = [
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 404 Not Found',
  'HTTP/1.1 206 ',
  'HTTP/1.1 500',
  'HTTP/1.1 204 No Content',
  'HTTP/1.1 304 Not Modified',
  'HTTP/1.1 307 \xe9\t!',
  'HTTP/1.0 200 OK',
  'HTTP/1.1 599 x',
  'HTTP/1.1 099 x',
  'HTTP/1.1 600 x',
  'HTTP/1.1 20 x',
  'HTTP/2.0 200 OK',
  'HTTP/1.1  200 OK',
  'HTTP/1.1 200OK',
  'ICY 200 OK',
] as const;

const interims = ['100 Continue', '102 Processing', '103 Early Hints', '199 x', '101 Switching'] as const;

const oddHeaders = [
  'x-a: b',
  'X-B:c',
  'x-c:\t d \t',
  'x-d: \xe9\xff',
  'x-empty:',
  'x-a : b',
  ' x-fold: b',
  'x-a: b\r\n c',
  'x-a: b\nx-b: c',
  'x-a: b\rx-b: c',
  'x-a: \0',
  'x-a: \x7f',
  'x(a: b',
  ': b',
  'noline',
  'connection: close',
  'connection: keep-alive',
  'connection: upgrade',
  'upgrade: h2c',
  'keep-alive: timeout=5',
  'trailer: x-t',
] as const;

const oddLengths = [
  '+5',
  '-5',
  '5, 5',
  '5 5',
  '0x5',
  '',
  '5.0',
  '05',
  '99999999999999999999',
  '5\t',
  'x',
] as const;
const oddCodings = [
  'x, chunked',
  'chunked, x',
  'chunked, chunked',
  'gzip',
  'identity',
  '',
  '"chunked"',
  'CHUNKED',
] as const;
const extensions = ['', '', '', '', ';a', ';a=b', ';a="b"', ';', ' ', ';a b', '\t;a'] as const;
const sizes = ['x', '', '+', '-1', '0x1', ' 1', 'fffffffffffffffff'] as const;
const trailers = [
  '',
  '',
  '',
  'x-t: v\r\n',
  'x-t:\r\nx-u: v\r\n',
  'content-length: 3\r\n',
  'x t: v\r\n',
  'transfer-encoding: chunked\r\n',
  'x\r\n',
] as const;
const noise = ['\r', '\n', '\0', ' ', '\t', ':', ';', '0', '\r\n', 'a', '\xff', ','] as const;

const oneIn = (random: Random, count: number): boolean => random(count) === 0;

function chunks(random: Random, body: string): string {
  let wire = '';
  for (let index = 0; index < body.length; ) {
    const size = 1 + random(Math.min(body.length - index, 20));
    const written = oneIn(random, 60) ? pick(random, sizes) : size.toString(16);
    wire += `${oneIn(random, 20) ? '0' : ''}${written}${oneIn(random, 8) ? pick(random, extensions) : ''}\r\n`;
    wire += `${body.slice(index, index + size)}${oneIn(random, 60) ? '\n' : '\r\n'}`;
    index += size;
  }
  const last = oneIn(random, 10) ? '000' : '0';
  return `${wire}${last}${oneIn(random, 10) ? pick(random, extensions) : ''}\r\n${pick(random, trailers)}\r\n`;
}

function answerText(random: Random): string {
  const body = Array.from({ length: random(60) }, () =>
    pick(random, ['a', '\r', '\n', '0', 'H', '\xff']),
  ).join('');
  const headers: string[] = [];
  for (let count = random(4); count > 0; count -= 1)
    headers.push(oneIn(random, 3) ? pick(random, oddHeaders) : `x-${random(9)}: ${random(1000)}`);
  let wire = body;
  const framing = random(8);
  if (framing < 3) headers.push(`Content-Length: ${body.length + (oneIn(random, 15) ? random(3) - 1 : 0)}`);
  else if (framing < 6) {
    headers.push('Transfer-Encoding: chunked');
    wire = chunks(random, body);
  }
  if (oneIn(random, 12)) headers.push(`content-length: ${pick(random, oddLengths)}`);
  if (oneIn(random, 12)) headers.push(`transfer-encoding: ${pick(random, oddCodings)}`);
  // Where they stand must not matter.
  if (oneIn(random, 2)) headers.reverse();
  let text = '';
  while (oneIn(random, 8))
    text += `HTTP/1.1 ${pick(random, interims)}\r\n${oneIn(random, 6) ? 'content-length: 1\r\n' : ''}\r\n`;
  const lineEnd = oneIn(random, 40) ? '\n' : '\r\n';
  text += [pick(random, statusLines), ...headers].map((line) => line + lineEnd).join('') + lineEnd + wire;
  return oneIn(random, 25) ? `${text}${pick(random, noise)}` : text;
}

function mutated(random: Random, text: string): string {
  let result = text;
  for (let count = 1 + random(2); count > 0; count -= 1) {
    const at = random(result.length + 1);
    const removed = oneIn(random, 2) ? random(3) : 0;
    result = result.slice(0, at) + (oneIn(random, 4) ? '' : pick(random, noise)) + result.slice(at + removed);
  }
  return result;
}

/** An answer from a grammar of right and wrong parts, every third one with random changes, cut at random places. */
export function generateAnswer(random: Random): GeneratedAnswer {
  const text = answerText(random);
  const wire = Buffer.from(oneIn(random, 3) ? mutated(random, text) : text, 'latin1');
  const pieces: Buffer[] = [];
  const longest = oneIn(random, 4) ? 3 : wire.length + 1;
  for (let index = 0; index < wire.length; ) {
    const length = 1 + random(longest);
    pieces.push(wire.subarray(index, index + length));
    index += length;
  }
  return { isHead: oneIn(random, 8), pieces };
}
