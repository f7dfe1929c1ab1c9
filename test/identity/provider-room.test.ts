import { describe, expect, it } from 'vitest';
import { IdentityFault } from '../../src/identity/identity-fault.ts';
import { ProviderRoom, type RoomLimits } from '../../src/identity/provider-room.ts';

/** A room with two places and a queue of three, whose questions end when told. */
function open(limits: Partial<RoomLimits> = {}) {
  const room = new ProviderRoom('idp', { maxUnderWay: 2, maxQueued: 3, maxQueuedMs: 60_000, ...limits });
  const asked: string[] = [];
  const ends = new Map<string, { resolve: (value: string) => void; reject: (error: Error) => void }>();
  const observed: string[] = [];
  return {
    asked,
    observed,
    ends,
    /** The outcome of a call: its own name, or the reason why it failed. */
    call: (name: string): Promise<string> =>
      room
        .wait(
          () => {
            asked.push(name);
            return new Promise<string>((resolve, reject) => ends.set(name, { resolve, reject }));
          },
          (provider) => {
            observed.push(`${name} waits for ${provider}`);
            return () => observed.push(`${name} waits no more`);
          },
        )
        .catch((error: unknown) => (error instanceof IdentityFault ? error.reason : String(error))),
    answer: async (name: string): Promise<void> => {
      ends.get(name)?.resolve(name);
      await settled();
    },
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the room of a provider', () => {
  it('asks for as many calls as it has places', async () => {
    const { call, asked } = open();
    for (const name of ['a', 'b', 'c']) void call(name);
    await settled();
    expect(asked).toEqual(['a', 'b']);
  });

  it('refuses a call at once when places and queue are full, without asking the provider', async () => {
    const { call, asked, observed } = open();
    for (const name of ['a', 'b', 'c', 'd', 'e']) void call(name);
    expect(await call('f')).toBe('provider_busy');
    expect(asked).toEqual(['a', 'b']);
    expect(observed.join()).not.toContain('f waits');
  });

  it('takes calls from the queue in the order they came', async () => {
    const { call, asked, answer } = open();
    for (const name of ['a', 'b', 'c', 'd', 'e']) void call(name);
    await answer('b');
    await answer('a');
    // Places and queue have room again, and the newest call is still the last.
    void call('f');
    void call('g');
    for (const name of ['c', 'd', 'e', 'f', 'g']) await answer(name);
    expect(asked).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });

  it('gives a place back when the provider fails', async () => {
    const { call, asked, ends } = open();
    const calls = ['a', 'b', 'c', 'd'].map(call);
    await settled();
    for (const name of ['a', 'b', 'c', 'd']) {
      ends.get(name)?.reject(new Error(`${name} failed`));
      await settled();
    }
    expect(await Promise.all(calls)).toEqual(['a', 'b', 'c', 'd'].map((name) => `Error: ${name} failed`));
    expect(asked).toHaveLength(4);
  });

  it('gives a place back when asking throws at once', async () => {
    const room = new ProviderRoom('idp', { maxUnderWay: 1, maxQueued: 0, maxQueuedMs: 60_000 });
    const fail = (): Promise<never> => {
      throw new Error('no question');
    };
    await expect(room.wait(fail)).rejects.toThrow('no question');
    expect(await room.wait(async () => 'asked')).toBe('asked');
  });

  it('refuses a call whose turn does not come in time, and gives its turn to the next', async () => {
    const { call, asked, answer, observed } = open({ maxQueuedMs: 10 });
    void call('a');
    void call('b');
    expect(await Promise.all([call('c'), call('d')])).toEqual(['provider_busy', 'provider_busy']);
    await answer('a');
    void call('e');
    await answer('b');
    await answer('e');
    expect(asked).toEqual(['a', 'b', 'e']);
    expect(observed.filter((line) => line.startsWith('c'))).toEqual(['c waits for idp', 'c waits no more']);
  });

  it('is empty again after every kind of end', async () => {
    const { call, asked, answer, ends } = open({ maxQueuedMs: 10 });
    for (let round = 0; round < 50; round += 1) {
      asked.length = 0;
      const calls = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(call);
      expect(await calls[5]).toBe('provider_busy');
      expect(await calls[4]).toBe('provider_busy');
      await answer('a');
      ends.get('b')?.reject(new Error('failed'));
      await Promise.all(calls);
      expect(asked).toEqual(['a', 'b']);
    }
  });

  it('tells when each call starts to wait and when it stops, from the queue on', async () => {
    const { call, answer, observed } = open({ maxUnderWay: 1 });
    void call('a');
    void call('b');
    await answer('a');
    await answer('b');
    expect(observed).toEqual(['a waits for idp', 'b waits for idp', 'a waits no more', 'b waits no more']);
  });
});
