import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { helloState } from '../../src/tls/client-hello.ts';
import { clientHello } from '../support/tls-clients.ts';

const record = (payload: Buffer): Buffer => {
  const head = Buffer.from([22, 3, 1, 0, 0]);
  head.writeUInt16BE(payload.length, 3);
  return Buffer.concat([head, payload]);
};

const message = (length: number, type = 1): Buffer => {
  const bytes = Buffer.alloc(4 + length, 7);
  bytes[0] = type;
  bytes.writeUIntBE(length, 1, 3);
  return bytes;
};

describe('a ClientHello', () => {
  it('is complete with its last byte, however it arrives', async () => {
    const hello = await clientHello();
    for (let length = 0; length < hello.length; length += 1)
      expect(helloState(hello.subarray(0, length))).toBe('incomplete');
    expect(helloState(hello)).toBe('complete');
    expect(helloState(Buffer.concat([hello, Buffer.from('more')]))).toBe('complete');
  });

  it('may be spread over records', () => {
    const whole = message(5_000);
    const pieces = [whole.subarray(0, 4), whole.subarray(4, 300), whole.subarray(300)].map(record);
    const bytes = Buffer.concat(pieces);
    expect(helloState(bytes)).toBe('complete');
    expect(helloState(bytes.subarray(0, -1))).toBe('incomplete');
    expect(helloState(Buffer.concat(pieces.slice(0, 2)))).toBe('incomplete');
  });

  it('has 16 KiB at most', () => {
    const longest = message(16 * 1024 - 4);
    expect(helloState(record(longest))).toBe('complete');
    const longer = message(16 * 1024 - 3);
    expect(helloState(record(longer.subarray(0, 100)))).toBe('not_tls');
    expect(helloState(Buffer.from([22, 3, 1, 0x40, 0, 1, 0x01, 0xff, 0]))).toBe('not_tls');
  });
});

describe('is not the beginning of TLS', () => {
  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['an alert', Buffer.from([21, 3, 1, 0, 2, 1, 0])],
    ['SSL 2', Buffer.from([0x80, 0x2e, 1, 3, 1])],
    ['another version', Buffer.from([22, 2, 0, 0, 5])],
    ['another message of a handshake', record(message(40, 2))],
    ['another type before the rest of the header', record(message(40, 2)).subarray(0, 6)],
    ['a record without room for the header', record(Buffer.from([1, 0, 0]))],
    ['an empty record', record(Buffer.alloc(0))],
    ['an empty record within', Buffer.concat([record(message(40).subarray(0, 10)), record(Buffer.alloc(0))])],
    ['a record that is too long', Buffer.from([22, 3, 1, 0x40, 1])],
    ['another record within', Buffer.concat([record(message(40).subarray(0, 10)), Buffer.from([23, 3, 3])])],
  ])('%s', (_, bytes) => {
    expect(helloState(bytes)).toBe('not_tls');
  });
});

it('never changes its mind about bytes when more of them arrive', () => {
  const spread = fc
    .tuple(fc.integer({ min: 0, max: 600 }), fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 20 }))
    .map(([length, cuts]) => {
      const whole = message(length);
      const pieces: Buffer[] = [];
      let at = 0;
      for (const cut of [4, ...cuts, length]) {
        if (at < whole.length) pieces.push(record(whole.subarray(at, at + cut)));
        at += cut;
      }
      return Buffer.concat(pieces);
    });
  const any = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(spread, any), fc.nat(700), (bytes, length) => {
      const before = helloState(bytes.subarray(0, length));
      if (before !== 'incomplete') expect(helloState(bytes)).toBe(before);
    }),
  );
});
