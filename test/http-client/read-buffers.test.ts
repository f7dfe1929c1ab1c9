import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ReadBuffers } from '../../src/http-client/read-buffers.ts';
import { Asked } from './asking.ts';
import { inFrontOf, upload } from './in-front-of.ts';

/** Reads that fill each buffer with its own number. */
function reading(): { held: boolean; read: (length?: number) => { bytes: Buffer; buffer: Buffer } } {
  let reads = 0;
  const state = {
    held: false,
    read: (length?: number) => {
      const buffer = buffers.next();
      reads += 1;
      buffer.fill(reads);
      return { bytes: buffers.take(buffer, length ?? buffer.length), buffer };
    },
  };
  const buffers = new ReadBuffers(() => state.held);
  return state;
}

describe('the buffers of a connection', () => {
  it('copy small reads out, and use one buffer for all of them', () => {
    const { read } = reading();
    const [first, second] = [read(100), read(200)];
    expect(second.buffer).toBe(first.buffer);
    expect(first.bytes).toEqual(Buffer.alloc(100, 1));
    expect(second.bytes).toEqual(Buffer.alloc(200, 2));
  });

  it('are large after a read that was full, and two of them take turns', () => {
    const { read } = reading();
    const { buffer: small, bytes } = read();
    const [first, second, third, fourth] = [read(), read(10), read(), read()];
    expect(bytes).toEqual(Buffer.alloc(small.length, 1));
    expect(first.buffer.length).toBeGreaterThan(small.length);
    expect([second.buffer === first.buffer, third.buffer === first.buffer]).toEqual([false, true]);
    expect(fourth.buffer).toBe(second.buffer);
  });

  it('are not used again while their bytes are held, nor is a third one taken', () => {
    const state = reading();
    const small = state.read();
    const before = state.read();
    const kept = state.read();
    state.held = true;
    const held = state.read();
    expect(held.buffer).toBe(before.buffer);
    const whileHeld = [state.read(), state.read(), state.read()];
    expect(whileHeld[0]?.buffer).toBe(small.buffer);
    expect(kept.bytes).toEqual(Buffer.alloc(kept.bytes.length, 3));
    expect(held.bytes).toEqual(Buffer.alloc(held.bytes.length, 4));
    expect(whileHeld.map(({ bytes }) => bytes[0])).toEqual([5, 6, 7]);
  });

  it('take what was read into a buffer that was handed out before they were reset', () => {
    const buffers = new ReadBuffers(() => false);
    const small = buffers.next();
    buffers.take(small, small.length);
    const large = buffers.next();
    buffers.reset();
    large.fill(9);
    expect(buffers.take(large, large.length)).toEqual(Buffer.alloc(large.length, 9));
  });
});

describe('an answer', () => {
  const data = randomBytes(3_000_000);
  /** The data in chunks of every size, 1 to 100,000 bytes, or with a length. */
  const framings = {
    'a length': [`content-length: ${data.length}\r\n\r\n`, data],
    chunks: ['transfer-encoding: chunked\r\n\r\n', chunked(data)],
  } as const;

  function chunked(bytes: Buffer): Buffer {
    const pieces: Buffer[] = [];
    for (let index = 0, size = 1; index < bytes.length; index += size, size = (size * 7) % 100_003) {
      const piece = bytes.subarray(index, index + size);
      pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
    }
    return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')]);
  }

  it.each(Object.entries(framings))(
    'with %s stays as it was for as long as it is held',
    async (_, [head, body]) => {
      const { client, server } = await inFrontOf(({ socket }) => {
        socket.write(`HTTP/1.1 200 OK\r\n${head}`);
        socket.write(body);
      });
      let before: Holder | undefined;
      for (let round = 0; round < 5; round += 1) {
        const holder = new Holder(client);
        await holder.over;
        // The one before has still held its last pieces.
        if (before !== undefined) expect(before.letGo().equals(data)).toBe(true);
        before = holder;
      }
      expect(server.accepted).toHaveLength(1);
    },
  );

  it('to an upload that ends after it is not mixed with the next one', async () => {
    const { client } = await inFrontOf(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\n${framings['a length'][0]}`);
      socket.write(data);
    });
    for (let round = 0; round < 3; round += 1) {
      const holder = new Holder(client, upload(1));
      await holder.over;
      holder.exchange.write(Buffer.from('x'));
      expect(holder.letGo().equals(data)).toBe(true);
    }
  });
});

/** Holds up to twenty pieces of an answer at a time, without a copy. */
class Holder extends Asked {
  #held: Buffer[] = [];
  readonly #copied: Buffer[] = [];

  override onData(data: Buffer): void {
    this.#held.push(data);
    this.isHoldingData = this.#held.length < 20;
    if (!this.isHoldingData) this.#copy();
  }

  letGo(): Buffer {
    this.#copy();
    return Buffer.concat(this.#copied);
  }

  #copy(): void {
    for (const piece of this.#held.splice(0)) this.#copied.push(Buffer.from(piece));
  }
}
