import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Asked } from './asking.ts';
import { answerOf, eventually, inFrontOf, isReset, upload } from './in-front-of.ts';
import type { Accepted } from './raw-server.ts';

describe('the body of a request', () => {
  it('is sent with back-pressure', async () => {
    const size = 30_000_000;
    const { client, server } = await inFrontOf(({ socket }) => {
      socket.pause();
      void setTimeout(300).then(() => socket.resume());
    });
    const asked = new Asked(client, upload(size));
    let left = size;
    while (left > 0) {
      const before = asked.drains;
      left -= 100_000;
      if (!asked.exchange.write(Buffer.alloc(100_000, 'x')))
        await eventually(() => expect(asked.drains).toBeGreaterThan(before));
    }
    await eventually(() => expect(server.accepted[0]?.received().length).toBeGreaterThan(size));
    server.accepted[0]?.socket.write(answerOf('ok'));
    expect((await asked.over).outcome).toBe('200 ok');
  });

  it('cannot be longer than announced', async () => {
    const { client, server } = await inFrontOf(() => undefined);
    const { exchange } = new Asked(client, upload(4));
    expect(() => exchange.write(Buffer.from('more than that'))).toThrow(RangeError);
    await eventually(() => expect(server.accepted.every(({ ending }) => ending() === 'reset')).toBe(true));
  });

  it.each([0, 1, 99])(
    'that is broken off after %i of 100 bytes is reset, never ended in order',
    async (sent) => {
      const { client, server } = await inFrontOf(() => undefined);
      const { exchange } = new Asked(client, upload(100));
      exchange.write(Buffer.alloc(sent));
      await eventually(() => expect(server.accepted[0]?.received()).toMatch(/\r\n\r\n/));
      exchange.abort();
      await isReset(server);
    },
  );

  it('that is aborted after megabytes is reset', async () => {
    const { client, server } = await inFrontOf(() => undefined);
    const { exchange } = new Asked(client, upload(10_000_000));
    exchange.write(Buffer.alloc(9_999_999));
    await eventually(() => expect(server.accepted[0]?.received().length).toBeGreaterThan(5_000_000));
    exchange.abort();
    await isReset(server);
  });
});

describe('an answer that comes while the body still goes out', () => {
  const refusal = 'HTTP/1.1 412 Precondition Failed\r\nconnection: close\r\ncontent-length: 4\r\n\r\nlate';

  it.each([
    ['in order', (connection: Accepted) => void connection.socket.destroy()],
    ['by a reset', (connection: Accepted) => void connection.socket.resetAndDestroy()],
    ['not at all', () => undefined],
  ])('is delivered, however the peer closes (%s)', async (_, close) => {
    for (let round = 0; round < 10; round += 1) {
      const { client } = await inFrontOf((connection) => {
        connection.socket.pause();
        connection.socket.write(refusal, () => close(connection));
      });
      const asked = new Asked(client, upload(5_000_000));
      for (let left = 50; left > 0 && asked.events.length === 0; left -= 1) {
        asked.exchange.write(Buffer.alloc(100_000));
        await setTimeout(1);
      }
      expect((await asked.over).outcome).toBe('412 late');
      asked.exchange.abort();
    }
  });

  it('leaves it to the sender whether to go on', async () => {
    const { client, server } = await inFrontOf(({ socket }, request) => socket.write(answerOf(`${request}`)));
    const asked = new Asked(client, upload(10));
    expect((await asked.over).outcome).toBe('200 1');
    asked.exchange.write(Buffer.from('0123456789'));
    await eventually(() => expect(server.accepted[0]?.received()).toMatch(/0123456789$/));
    expect((await new Asked(client).over).outcome).toBe('200 2');
    expect(asked.events).toEqual(['head', 'end']);
  });

  it('leaves a connection that is not used again, and ends in order', async () => {
    const { client, server } = await inFrontOf(({ socket }) => socket.write(answerOf('ok')));
    const asked = await new Asked(client, upload(10)).over;
    asked.exchange.write(Buffer.from('0123456789'));
    expect((await new Asked(client).over).outcome).toBe('200 ok');
    expect(server.accepted).toHaveLength(2);
    await eventually(() => expect(server.accepted[0]?.ending()).toBe('end'));
  });

  it('gives the last bytes the full timeout, however long ago the peer answered', async () => {
    let offsetMs = 0;
    const now = performance.now.bind(performance);
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + offsetMs);
    onTestFinished(() => clock.mockRestore());
    const size = 20_000_000;
    const { client, server } = await inFrontOf(({ socket }) => {
      socket.pause();
      socket.write(answerOf('early'));
    });
    const asked = new Asked(client, upload(size));
    await asked.over;
    // The sender was slow.
    offsetMs += 10_000;
    asked.exchange.write(Buffer.alloc(size));
    // Longer than the client takes to look after its connections.
    await setTimeout(600);
    server.accepted[0]?.socket.resume();
    await eventually(() => expect(server.accepted[0]?.ending()).toBeDefined());
    expect(server.accepted[0]?.received().length).toBeGreaterThan(size);
    expect(server.accepted[0]?.ending()).toBe('end');
  });

  it('is followed by a reset when the sender does not go on', async () => {
    const { client, server } = await inFrontOf(({ socket }) => socket.write(answerOf('ok')));
    const asked = await new Asked(client, upload(10)).over;
    asked.exchange.abort();
    await isReset(server);
    expect(asked.events).toEqual(['head', 'end']);
  });
});
