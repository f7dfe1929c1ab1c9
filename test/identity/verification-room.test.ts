import { describe, expect, it } from 'vitest';
import { IdentityFault } from '../../src/identity/identity-fault.ts';
import { VerificationRoom } from '../../src/identity/verification-room.ts';

/** A room for ten characters, in which verifications end when told. */
function open() {
  const room = new VerificationRoom('idp', 10);
  const ends: (() => void)[] = [];
  const observed: string[] = [];
  return {
    ends,
    observed,
    /** The outcome of a token. */
    pass: (token: string): Promise<string> =>
      room
        .pass(
          token,
          () => new Promise<string>((resolve) => void ends.push(() => resolve('verified'))),
          (provider) => {
            observed.push(`${token} waits for ${provider}`);
            return () => observed.push(`${token} waits no more`);
          },
        )
        .catch((error: unknown) => (error instanceof IdentityFault ? error.reason : String(error))),
  };
}

describe('the room of tokens that are verified', () => {
  it('takes that many characters, and refuses further tokens at once', async () => {
    const { pass, ends, observed } = open();
    const first = pass('aaaaa');
    const second = pass('bbbbb');
    expect(await pass('c')).toBe('provider_busy');
    expect(observed).toEqual(['aaaaa waits for idp', 'bbbbb waits for idp']);
    for (const end of ends) end();
    expect(await Promise.all([first, second])).toEqual(['verified', 'verified']);
  });

  it('has room again when a verification ends, however it ends', async () => {
    const { pass, ends, observed } = open();
    const room = new VerificationRoom('idp', 4);
    await expect(room.pass('aaaa', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    await expect(room.pass('aaaa', () => Promise.resolve(true))).resolves.toBe(true);
    const first = pass('aaaaaaaaaa');
    ends[0]?.();
    expect(await first).toBe('verified');
    expect(observed.at(-1)).toBe('aaaaaaaaaa waits no more');
    const next = pass('b');
    ends[1]?.();
    expect(await next).toBe('verified');
  });

  it('takes one token of any length', async () => {
    const { pass, ends } = open();
    const only = pass('a'.repeat(11));
    ends[0]?.();
    expect(await only).toBe('verified');
  });

  it('charges nothing for a call whose bytes find no room', async () => {
    const room = new VerificationRoom('idp', 4);
    const refuse = (): never => {
      throw new Error('no bytes');
    };
    await expect(room.pass('aaaa', () => Promise.resolve(true), refuse)).rejects.toThrow('no bytes');
    const first = room.pass('aa', () => Promise.resolve(true));
    const second = room.pass('bb', () => Promise.resolve(true));
    expect(await Promise.all([first, second])).toEqual([true, true]);
  });
});
